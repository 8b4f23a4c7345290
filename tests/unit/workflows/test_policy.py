"""The numbers of a conversation fit together, and fit what carries them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from workflows import parts, policy
from workflows.policy import Call

CALLS = {
    name: call
    for name in ("RECALL", "REPLY", "DELIVER", "REMEMBER", "BACKLOG", "REVIVE")
    if (call := vars(policy)[name])
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_every_call_ends_or_has_a_reason_not_to(call: Call) -> None:
    assert call.timeout > timedelta(0)
    assert call.retry is not None
    bounded = call.total is not None or call.retry.maximum_attempts > 0
    assert bounded is (call is not policy.BACKLOG)
    if call.total is not None:
        assert call.total > call.timeout


@pytest.mark.parametrize("call", [c for c in CALLS.values() if c.local])
def test_a_local_call_is_quicker_than_a_workflow_task_may_be(call: Call) -> None:
    # https://docs.temporal.io/encyclopedia/detecting-workflow-failures#workflow-task-timeout
    assert call.timeout < timedelta(seconds=10)


@pytest.mark.parametrize("name", ["REPLY", "DELIVER"])
def test_what_may_take_long_tells_when_its_worker_is_dead(name: str) -> None:
    heartbeat = CALLS[name].heartbeat
    assert heartbeat is not None
    assert heartbeat < CALLS[name].timeout


def test_what_the_agent_sees_is_in_the_transcript_and_an_apology_is_one_message() -> None:
    assert policy.WINDOW_MESSAGES < policy.TRANSCRIPT_MESSAGES
    assert policy.Rules().window < policy.TRANSCRIPT_CHARS
    assert policy.MAX_TEXT <= policy.TRANSCRIPT_CHARS
    assert len(parts.split(policy.APOLOGY)) == 1


def test_a_run_has_room_for_one_more_turn_with_every_redraft() -> None:
    # Each redraft: a signal, recall's marker, reply's three events and two workflow tasks of three events.
    turn, redraft = 20, 11
    assert policy.EVENT_BUDGET + turn + policy.MAX_REDRAFTS * redraft < 500
