"""A provider's failure as Temporal's: whether, and when, it is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities import failures
from agents.engine import AgentFailed
from messaging import errors
from messaging.config import new_config

CONFIG = new_config("x", max_retries=2, retry_delay=10)


def test_a_wait_that_the_provider_asked_for_is_temporals_next_delay() -> None:
    limited = errors.RateLimit("slow down", retryable=True, retry_after=90, provider_code=20429, status=429)
    made = failures.of_provider(limited, CONFIG, attempt=1)

    assert (made.type, made.non_retryable, made.next_retry_delay) == ("rate_limit", False, timedelta(seconds=90))
    assert made.details[0] == {"provider_code": 20429, "status": 429, "ambiguous": False, "category": "rate"}


def test_the_configured_retries_and_their_growing_delay_are_temporals() -> None:
    away = errors.NetworkError("away", retryable=True)
    made = [failures.of_provider(away, CONFIG, attempt=attempt) for attempt in (1, 2, 3)]

    assert [error.non_retryable for error in made] == [False, False, True]
    assert made[0].next_retry_delay is not None
    assert made[1].next_retry_delay is not None
    assert made[0].next_retry_delay < made[1].next_retry_delay


@pytest.mark.parametrize("attempt", [1, 3, 100])
def test_what_may_have_left_is_looked_for_however_often(attempt: int) -> None:
    made = failures.of_provider(errors.Timeout("late", ambiguous=True), CONFIG, attempt=attempt)

    assert not made.non_retryable
    assert made.next_retry_delay is not None
    assert made.next_retry_delay <= timedelta(seconds=33)


def test_a_refusal_is_for_good() -> None:
    assert failures.of_provider(errors.InvalidMessage("no"), CONFIG, attempt=1).non_retryable
    assert failures.not_configured("smoke", "twilio").non_retryable


@pytest.mark.parametrize(
    ("error", "attempt", "seconds"),
    [
        (ValueError("x"), 1, 1),
        (ValueError("x"), 2, 2),
        (AgentFailed("busy", retryable=True), 3, 4),
        (AgentFailed("busy", retryable=True), 100, 30),
        (AgentFailed("busy", retryable=True, retry_after=20), 1, 20),
        (AgentFailed("busy", retryable=True, retry_after=3_600), 1, 120),
    ],
)
def test_how_long_an_agent_that_failed_is_left_alone_is_said_by_its_error(
    error: Exception, attempt: int, seconds: float
) -> None:
    """Temporal's own interval is for dead workers, and short."""
    assert failures.of_agent(error, attempt=attempt).next_retry_delay == timedelta(seconds=seconds)
