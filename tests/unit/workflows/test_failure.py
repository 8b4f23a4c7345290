"""What a failed send asks for, by the category of its error and by the provider's own code."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from messaging.errors import Category
from workflows import failure
from workflows.failure import Remedy
from workflows.state import ConversationState, Outcome

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("category", "code", "remedy"),
    [
        (Category.BLOCKED, 21610, Remedy.OPT_OUT),
        ("", 21610, Remedy.OPT_OUT),
        (Category.BLOCKED, 30007, Remedy.REFUSE),
        (Category.BLOCKED, None, Remedy.REFUSE),
        (Category.WINDOW, None, Remedy.TEMPLATE),
        ("", 63016, Remedy.TEMPLATE),
        ("opted_out", None, Remedy.OPT_OUT),
        (Category.PERMANENT, 30005, Remedy.PARK),
        (Category.CONFIG, 20003, Remedy.PARK),
        (Category.RETRY, 30003, Remedy.PARK),
        ("", None, Remedy.PARK),
    ],
)
def test_each_failure_has_one_remedy(category: str, code: int | None, remedy: Remedy) -> None:
    assert failure.remedy(category, code) is remedy


@pytest.mark.parametrize(
    ("category", "code", "outcome", "opted_out", "held", "alerts"),
    [
        (Category.BLOCKED, 21610, Outcome.REFUSED, True, False, []),
        (Category.BLOCKED, 30007, Outcome.REFUSED, False, False, ["undelivered"]),
        (Category.WINDOW, 63016, Outcome.HELD, False, True, ["handoff"]),
        (Category.PERMANENT, 30005, Outcome.PARKED, False, False, []),
    ],
    ids=["opted out", "blocked", "window", "permanent"],
)
def test_a_failure_has_its_consequence_in_the_state(
    category: Category, code: int, outcome: Outcome, opted_out: bool, held: bool, alerts: list[str]
) -> None:
    state = ConversationState(created_at=NOW, updated_at=NOW)

    assert failure.settle(state, category.value, code, NOW) is outcome
    assert (state.opted_out, state.handoff is not None) == (opted_out, held)
    assert [alert.kind.value for alert in state.alerts] == alerts
