"""What is said later: nudges, scheduled messages, answers that wait for the end of quiet hours; and silence."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from agents.engine import AgentFailed
from agents.turn import Draft, Turn
from messaging.model import ConversationState
from tests.integration.clock import Clock
from tests.integration.harness import echo
from tests.support.ports import eventually
from workflows import quiet
from workflows.contracts import Adjustment, ScheduleRequest, Takeover
from workflows.conversation import ConversationWorkflow as Workflow
from workflows.inbox import ProviderState
from workflows.policy import Rules
from workflows.state import Outcome


async def _schedule(clock: Clock, person: Any, *, minutes: float, **fields: Any) -> None:
    at = await clock.env.get_current_time() + timedelta(minutes=minutes)
    request = ScheduleRequest(**{"id": "reminder", "at": at, "text": "Your bike is ready.", **fields})
    await person.handle.execute_update(Workflow.schedule, request)


async def _answered(clock: Clock, rules: Rules | None = None) -> Any:
    person = clock.bench.conversation(rules)
    await clock.text(person, "hello")
    await person.turn(1)
    return person


async def test_who_does_not_reply_is_nudged_once(clock: Clock) -> None:
    await _answered(clock, Rules(nudge_after=600, nudge_text="Still there?"))
    await clock.passes(minutes=9)
    assert clock.bench.outbox.bodies == ["re: hello"]
    await clock.passes(hours=3)

    assert clock.bench.outbox.bodies == ["re: hello", "Still there?"]


async def test_a_reply_cancels_the_nudge(clock: Clock) -> None:
    person = await _answered(clock, Rules(nudge_after=600, nudge_text="Still there?"))
    await clock.passes(minutes=9)
    await clock.text(person, "yes")
    await person.turn(2)
    await clock.passes(minutes=5)
    assert clock.bench.outbox.bodies == ["re: hello", "re: yes"]
    await clock.passes(minutes=6)

    assert clock.bench.outbox.bodies == ["re: hello", "re: yes", "Still there?"]


async def test_a_scheduled_message_is_sent_at_its_time(clock: Clock) -> None:
    person = await _answered(clock)
    await _schedule(clock, person, minutes=60)
    await clock.passes(minutes=59)
    assert clock.bench.outbox.bodies == ["re: hello"]
    await clock.passes(minutes=2)

    assert clock.bench.outbox.bodies == ["re: hello", "Your bike is ready."]
    assert (await person.transcript()).messages[-1].kind == "notice"


@pytest.mark.parametrize(("cancelled", "sent"), [(True, 0), (False, 1)])
async def test_a_reply_cancels_what_is_scheduled_unless_it_is_not_to(clock: Clock, cancelled: bool, sent: int) -> None:
    person = await _answered(clock)
    await _schedule(clock, person, minutes=60, cancelled_by_reply=cancelled)
    await clock.text(person, "thanks")
    await person.turn(2)
    await clock.passes(minutes=61)

    assert clock.bench.outbox.bodies.count("Your bike is ready.") == sent


async def test_what_is_scheduled_can_be_replaced_and_withdrawn(clock: Clock) -> None:
    person = await _answered(clock)
    await _schedule(clock, person, minutes=60)
    await _schedule(clock, person, minutes=90, text="It takes longer.")
    await _schedule(clock, person, minutes=30, id="other")
    await person.handle.execute_update(Workflow.unschedule, "other")
    await clock.passes(minutes=91)

    assert clock.bench.outbox.bodies == ["re: hello", "It takes longer."]


async def test_what_is_scheduled_keeps_a_silent_conversation_open(clock: Clock) -> None:
    person = await _answered(clock, Rules(idle_close=3600))
    await _schedule(clock, person, minutes=180)
    await clock.passes(minutes=181)
    assert clock.bench.outbox.bodies[-1] == "Your bike is ready."
    await clock.passes(minutes=61)

    await clock.closes(person)


async def test_nothing_scheduled_is_sent_after_stop(clock: Clock) -> None:
    person = await _answered(clock)
    await _schedule(clock, person, minutes=60)
    await clock.text(person, "STOP")
    await person.turn(2)
    await clock.passes(minutes=61)

    assert clock.bench.outbox.bodies == ["re: hello"]
    with pytest.raises(WorkflowUpdateFailedError):
        await _schedule(clock, person, minutes=60)


async def test_what_is_scheduled_waits_while_a_human_has_taken_over(clock: Clock) -> None:
    person = await _answered(clock)
    await _schedule(clock, person, minutes=30)
    await person.handle.execute_update(Workflow.takeover, Takeover(assignee="ana"))
    await clock.passes(minutes=40)
    assert clock.bench.outbox.bodies == ["re: hello"]
    await person.handle.execute_update(Workflow.release)

    await eventually(lambda: _said(clock, "Your bike is ready."))


async def _said(clock: Clock, body: str) -> bool:
    return body in clock.bench.outbox.bodies


# --- quiet hours ---


async def _quiet(clock: Clock, *, ahead: float = 0, hours: float = 8) -> str:
    """Quiet hours that begin in so many hours, and last so long."""
    now = await clock.env.get_current_time()
    start, end = now + timedelta(hours=ahead), now + timedelta(hours=ahead + hours)
    return f"{start:%H:%M}-{end:%H:%M}"


async def test_an_answer_waits_for_the_end_of_quiet_hours_and_is_not_late_by_that(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(quiet_hours=await _quiet(clock)))
    await clock.text(person, "hello")
    await clock.text(person, "are you there?")
    await clock.passes(hours=7, minutes=50)
    assert clock.bench.agent.turns == []
    assert (await person.view()).pending == 2
    await clock.passes(minutes=11)
    await person.turn(1)

    assert clock.bench.outbox.bodies == ["re: hello\nare you there?"]


async def test_a_stop_in_quiet_hours_discards_what_waits(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(quiet_hours=await _quiet(clock)))
    await clock.text(person, "hello")
    await clock.text(person, "STOP")
    assert (await person.turn(1)).outcome is Outcome.OPTED_OUT
    await clock.passes(hours=9)

    assert clock.bench.outbox.bodies == []


async def test_a_draft_that_is_ready_when_quiet_hours_begin_waits(clock: Clock) -> None:
    now = await clock.env.get_current_time()
    hours = f"{now + timedelta(minutes=1):%H:%M}-{now + timedelta(hours=8):%H:%M}"

    async def at_the_second_try(turn: Turn) -> Draft:
        if len(clock.bench.agent.turns) == 1:
            raise AgentFailed("busy", retryable=True, retry_after=100)
        return await echo(turn)

    clock.bench.agent.reply_with = at_the_second_try
    person = clock.bench.conversation(Rules(quiet_hours=hours))
    await clock.text(person, "hello")
    await eventually(lambda: asyncio.sleep(0, bool(clock.bench.agent.turns)))
    await clock.passes(hours=2)
    assert clock.bench.outbox.bodies == []
    await clock.passes(hours=7)
    turn = await person.turn(1)

    assert clock.bench.outbox.bodies == ["re: hello"]
    assert turn.guards == ("quiet hours",)


async def test_quiet_hours_are_those_of_the_persons_time_zone(clock: Clock) -> None:
    person = await _answered(clock)
    person.rules = Rules(quiet_hours=await _quiet(clock), time_zone="UTC")
    await person.handle.execute_update(Workflow.adjust, Adjustment(time_zone="Asia/Tokyo"))
    await clock.text(person, "good morning")  # in the middle of UTC's quiet hours, not of Tokyo's

    await person.turn(2)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd"])
async def test_a_time_zone_of_nowhere_is_refused(clock: Clock, zone: str) -> None:
    person = await _answered(clock)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await person.handle.execute_update(Workflow.adjust, Adjustment(time_zone=zone))
    assert "time_zone: must be" in str(refused.value.cause)


@pytest.mark.parametrize(
    ("hours", "zone", "now", "opens"),
    [
        ("21:00-08:00", "UTC", "2026-01-10T20:59:59+00:00", None),
        ("21:00-08:00", "UTC", "2026-01-10T21:00:00+00:00", "2026-01-11T08:00:00+00:00"),
        ("21:00-08:00", "UTC", "2026-01-11T07:59:00+00:00", "2026-01-11T08:00:00+00:00"),
        ("21:00-08:00", "UTC", "2026-01-11T08:00:00+00:00", None),
        ("12:00-14:00", "UTC", "2026-01-11T13:00:00+00:00", "2026-01-11T14:00:00+00:00"),
        ("21:00-08:00", "Europe/Berlin", "2026-01-10T20:30:00+00:00", "2026-01-11T07:00:00+00:00"),
        ("21:00-08:00", "Europe/Berlin", "2026-03-28T22:00:00+00:00", "2026-03-29T06:00:00+00:00"),
        ("21:00-08:00", "America/New_York", "2026-07-01T23:00:00+00:00", None),
        ("", "UTC", "2026-01-10T23:00:00+00:00", None),
    ],
)
def test_when_quiet_hours_end(hours: str, zone: str, now: str, opens: str | None) -> None:
    found = quiet.opens_at(hours, zone, datetime.fromisoformat(now))
    assert found == (datetime.fromisoformat(opens) if opens else None)


# --- silence ---


async def test_silence_makes_a_conversation_inactive_a_text_active_and_more_silence_closed(clock: Clock) -> None:
    person = await _answered(clock, Rules(inactive_after=3600, idle_close=7200))
    await clock.passes(minutes=59)
    assert (await person.view()).state == "active"
    await clock.passes(minutes=2)
    assert (await person.view()).state == "inactive"
    await clock.text(person, "back")
    await person.turn(2)
    assert (await person.view()).state == "active"
    await clock.passes(minutes=119)
    assert (await person.view()).state == "inactive"
    await clock.passes(minutes=2)

    await clock.closes(person)


async def test_what_the_provider_closed_is_closed_and_inactive_is_inactive(clock: Clock) -> None:
    person = await _answered(clock)
    await person.handle.signal("provider_state", ProviderState(state=ConversationState.INACTIVE))
    assert (await person.view()).state == "inactive"
    await person.handle.signal("provider_state", ProviderState(state=ConversationState.CLOSED))

    await clock.closes(person)


async def test_all_deadlines_share_one_timer(clock: Clock) -> None:
    person = await _answered(clock, Rules(inactive_after=7200, nudge_after=3600))
    await _schedule(clock, person, minutes=30)
    await clock.passes(minutes=1)
    started = canceled = fired = 0
    async for event in person.handle.fetch_history_events():
        started += event.HasField("timer_started_event_attributes")
        canceled += event.HasField("timer_canceled_event_attributes")
        fired += event.HasField("timer_fired_event_attributes")

    assert started - canceled - fired == 1
