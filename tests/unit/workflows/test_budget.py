"""A conversation's spending, and when it is enough for a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from workflows.budget import Budget, Spending

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
USED = {"requests": 1, "input_tokens": 900, "output_tokens": 100}


def after(drafts: int) -> Spending:
    spending = Spending()
    for turn in range(1, drafts + 1):
        spending.add(USED, 0.01, NOON, turn=turn)
    return spending


@pytest.mark.parametrize(
    ("budget", "says"),
    [
        (Budget(), ""),
        (Budget(answers=4), ""),
        (Budget(answers=3), "budget: 3 answers a day"),
        (Budget(answers=0, tokens=3001), ""),
        (Budget(tokens=3000), "budget: 3000 tokens a day"),
        (Budget(cost=0.04), ""),
        (Budget(cost=0.03), "budget: 0.03 US dollars a day"),
        (Budget(answers=0, tokens=0, cost=0), ""),
    ],
)
def test_the_first_limit_that_is_reached_is_named(budget: Budget, says: str) -> None:
    assert after(3).over(budget, NOON) == says


def test_another_day_of_utc_begins_anew_and_the_total_stays() -> None:
    spending = after(3)
    tokyo = NOON.astimezone(timezone(timedelta(hours=9))) + timedelta(hours=11)  # tomorrow there, today in UTC
    assert spending.over(Budget(answers=3), tokyo)
    assert not spending.over(Budget(answers=3), NOON + timedelta(hours=12))
    assert (spending.total.answers, spending.total.tokens, spending.total.cost) == (3, 3000, 0.03)


def test_who_was_told_is_told_again_the_next_day_only() -> None:
    spending = after(1)
    spending.told = True
    assert spending.over(Budget(answers=1), NOON)
    assert spending.told
    spending.over(Budget(answers=1), NOON + timedelta(days=1))
    assert not spending.told


def test_all_drafts_of_a_turn_count_for_it_and_an_unknown_cost_is_none() -> None:
    spending = Spending()
    spending.add(USED, None, NOON, turn=7)
    assert spending.of(7) == {"usage": USED, "cost": None}
    spending.add(USED, 0.01, NOON, turn=7)
    assert spending.of(7) == {"usage": {"requests": 2, "input_tokens": 1800, "output_tokens": 200}, "cost": 0.01}
    assert spending.of(8) == {}
    spending.add({}, None, NOON, turn=8)
    assert spending.of(8) == {"usage": {}, "cost": None}
