"""When a failed call is made again: by the config, by the provider's word, and never where it may have happened."""

from __future__ import annotations

import asyncio
import textwrap

import pytest

from messaging import errors, retry
from messaging.config import new_config
from messaging.model import ConversationConfig
from messaging.testing import ScriptedBackend

PASSING = errors.NetworkError("away", retryable=True)


def waits(error, attempts=range(1, 8), *, draw=0.5, **options):
    config = new_config("x", **options)
    return [retry.wait(error, config, attempt=attempt, draw=lambda: draw) for attempt in attempts]


def test_each_wait_is_longer_until_the_retries_are_used_up():
    assert waits(PASSING) == [1, 2, 4, None, None, None, None]
    assert waits(PASSING, max_retries=5, retry_delay=0.5, retry_backoff=3) == [0.5, 1.5, 4.5, 13.5, 30, None, None]
    assert waits(PASSING, max_retries=0) == [None] * 7


def test_without_a_number_the_end_is_the_callers_and_the_waits_stay_bounded():
    assert waits(PASSING, [1, 6, 7, 1000, 10**9], max_retries=None) == [1, 30, 30, 30, 30]


@pytest.mark.parametrize(("draw", "expected"), [(0.0, 0.9), (0.5, 1.0), (1.0, 1.1)])
def test_callers_that_failed_together_do_not_come_back_together(draw, expected):
    assert waits(PASSING, [1], draw=draw) == [pytest.approx(expected)]


def test_the_providers_own_wait_counts_where_it_is_longer():
    assert waits(errors.RateLimit("slow down", retryable=True, retry_after=90), [1]) == [90]
    assert waits(errors.RateLimit("slow down", retryable=True, retry_after=0.2), [1]) == [1]


@pytest.mark.parametrize("error", [errors.NetworkError("lost", ambiguous=True), errors.InvalidMessage("no")])
def test_what_may_have_happened_or_cannot_is_not_made_again(error):
    assert waits(error) == [None] * 7


async def test_the_loop_of_the_documentation_gets_through_what_passes():
    # Nothing but the loop is indented; whatever else the docstring says stands at the margin.
    shown = "\n".join(line for line in retry.__doc__.splitlines() if line.startswith("    "))
    loop = "async def call(backend, sid):\n" + textwrap.indent(shown, "    ")
    names = {"retry": retry, "asyncio": asyncio, "MessagingError": errors.MessagingError}
    exec(compile(loop, "messaging/retry.py", "exec"), names)
    async with ScriptedBackend() as backend:
        backend.get_config = lambda: new_config("scripted", retry_delay=0.1)
        sid = (await backend.create_conversation(ConversationConfig())).sid
        backend.script.fail("get_conversation", PASSING, PASSING)
        assert (await names["call"](backend, sid)).sid == sid
        backend.script.fail("get_conversation", errors.ConversationNotFound("gone"))
        with pytest.raises(errors.ConversationNotFound):
            await names["call"](backend, sid)
