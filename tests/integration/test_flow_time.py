"""What the flows of the examples leave to time, on a server that skips it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.clock import Clock, skipping
from tests.replay import record
from tests.support.ports import eventually
from workflows import contracts
from workflows.contracts import ConversationStart, OperatorReply, Route
from workflows.conversation import ConversationWorkflow
from workflows.policy import Rules
from workflows.state import Outcome, Verdict


@pytest.fixture
async def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clock]:
    monkeypatch.setenv("ORDERS_DB", str(tmp_path / "orders.db"))
    monkeypatch.setenv("DIARY_DB", str(tmp_path / "diary.db"))
    found = record.install_flows()
    async with skipping(flows=(*found[record.ORDERS], *found[record.APPOINTMENTS])) as clock:
        yield clock


async def test_a_refund_that_nobody_decides_is_declined_after_a_quarter_of_an_hour(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(flow="orders@1"))
    await clock.text(person, "refund 4713")

    async def asked() -> bool:
        return bool((await person.view()).approvals)

    await eventually(asked)
    await clock.passes(minutes=14)
    assert [a.verdict for a in (await person.view()).approvals] == [Verdict.PENDING]
    await clock.passes(minutes=2)
    assert (await person.turn(1)).outcome is Outcome.ANSWERED
    assert [a.verdict for a in (await person.view()).approvals] == [Verdict.DECLINED]
    assert clock.bench.outbox.bodies[-1].startswith("I am sorry, we cannot refund order 4713.")


async def test_the_time_that_a_human_takes_does_not_make_an_answer_late(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(flow="orders@1", stale_after=600))
    await clock.text(person, "refund 4713")
    await eventually(lambda: _said(clock, 1))
    await clock.passes(minutes=16)
    await person.turn(1)
    assert clock.bench.outbox.bodies[-1].startswith("I am sorry, we cannot refund order 4713.")


async def test_an_appointment_is_called_to_mind_a_day_before_whatever_was_written_meanwhile(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(flow="appointments@1"))
    begins = _in_a_week(await clock.env.get_current_time())
    for number, text in enumerate((f"{begins:%A}", "at 10", "yes", "thanks"), start=1):
        await clock.text(person, text)
        await person.turn(number)
    [reminder] = (await person.view()).scheduled
    assert reminder.at == begins - timedelta(days=1)

    left = reminder.at - await clock.env.get_current_time()
    await clock.passes(seconds=left.total_seconds() - 60)
    before = len(clock.bench.outbox.bodies)
    await clock.passes(minutes=2)
    await eventually(lambda: _said(clock, before + 1))
    assert clock.bench.outbox.bodies[-1].startswith("See you on ")


def _in_a_week(now: datetime) -> datetime:
    """The last weekday of the coming seven days, at ten."""
    days = [now + timedelta(days=ahead) for ahead in range(3, 8)]
    return next(day for day in reversed(days) if day.weekday() < 5).replace(hour=10, minute=0, second=0, microsecond=0)


async def _said(clock: Clock, count: int) -> bool:
    return len(clock.bench.outbox.bodies) >= count


async def test_a_conversation_that_we_start_and_nobody_answers_ends_like_any_other(clock: Clock) -> None:
    person = clock.bench.conversation()
    start = ConversationStart(
        conversation_id=person.id,
        contact_id="contact",
        channel="sms",
        route=Route(provider="outbox", conversation_sid="pair"),
        created_at=await clock.env.get_current_time(),
    )
    await clock.env.client.start_workflow(contracts.WORKFLOW, start, id=person.id, task_queue=clock.bench.queue)
    await person.handle.execute_update(
        ConversationWorkflow.reply, OperatorReply(author="system", text="hello", key="greeting")
    )
    await eventually(lambda: _said(clock, 1))
    await clock.passes(hours=23)
    assert not await clock.is_closed(person)
    await clock.passes(hours=2)
    await clock.closes(person)
