"""WhatsApp's 24 hours: counted down in the view; after them a template, or a human by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from tests.integration.clock import Clock
from tests.integration.harness import Conversation
from tests.support.ports import eventually
from workflows import policy
from workflows.contracts import OperatorReply, ScheduleRequest
from workflows.conversation import ConversationWorkflow as Workflow
from workflows.policy import Rules

TEMPLATE = Rules(template="HX1", template_variables={"1": "{text}", "2": "always"}, idle_close=10 * 86400)
NONE = Rules(idle_close=10 * 86400)


async def _by_whatsapp(clock: Clock, rules: Rules) -> Conversation:
    person = clock.bench.conversation(rules)
    await clock.text(person, "hello", channel="whatsapp")
    await person.turn(1)
    return person


def _reply(text: str, **fields: Any) -> OperatorReply:
    return OperatorReply(**{"author": "ana", "text": text, "key": text, **fields})


async def _sent(clock: Clock, count: int) -> bool:
    return len(clock.bench.outbox.sent) == count


async def test_the_view_counts_the_window_down_from_the_latest_text(clock: Clock) -> None:
    person = await _by_whatsapp(clock, NONE)
    first = (await person.view()).window_closes_at
    await clock.passes(hours=5)
    await clock.text(person, "again", channel="whatsapp")
    await person.turn(2)
    second = (await person.view()).window_closes_at

    assert first is not None
    assert second is not None
    assert timedelta(hours=4, minutes=59) < second - first < timedelta(hours=5, minutes=1)


async def test_other_channels_have_no_window(clock: Clock) -> None:
    person = clock.bench.conversation()
    await clock.text(person, "hello")
    await person.turn(1)

    assert (await person.view()).window_closes_at is None


async def test_within_the_window_a_human_writes_freely(clock: Clock) -> None:
    person = await _by_whatsapp(clock, TEMPLATE)
    await clock.passes(hours=23, minutes=59)
    await person.handle.execute_update(Workflow.reply, _reply("on time"))
    await eventually(lambda: _sent(clock, 2))

    assert clock.bench.outbox.messages[-1].template is None


async def test_a_closed_window_sends_the_template_with_its_variables(clock: Clock) -> None:
    person = await _by_whatsapp(clock, TEMPLATE)
    await clock.passes(hours=24)
    await person.handle.execute_update(Workflow.reply, _reply("two\nlines"))
    await eventually(lambda: _sent(clock, 2))

    template = clock.bench.outbox.messages[-1].template
    assert template is not None
    assert (template.sid, template.variables) == ("HX1", {"1": "two lines", "2": "always"})


async def test_a_closed_window_without_a_template_refuses_a_human_by_name(clock: Clock) -> None:
    person = await _by_whatsapp(clock, NONE)
    await clock.passes(hours=24)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await person.handle.execute_update(Workflow.reply, _reply("too late"))
    assert "window is closed" in str(refused.value.cause)

    await person.handle.execute_update(Workflow.reply, _reply("by template", template="HX2"))
    await eventually(lambda: _sent(clock, 2))
    assert clock.bench.outbox.messages[-1].template is not None


async def test_what_was_scheduled_past_the_window_goes_by_template_or_calls_a_human(clock: Clock) -> None:
    with_one, without = await _by_whatsapp(clock, TEMPLATE), await _by_whatsapp(clock, NONE)
    at = await clock.env.get_current_time() + timedelta(hours=30)
    for person in (with_one, without):
        await person.handle.execute_update(Workflow.schedule, ScheduleRequest(id="r", at=at, text="Your bike waits."))
    await clock.passes(hours=31)

    assert [m.template.sid for m in clock.bench.outbox.messages if m.template] == ["HX1"]
    assert len(clock.bench.outbox.sent) == 3
    assert (await without.view()).handoff == "the channel's window is closed and there is no template"
    assert timedelta(hours=24) > policy.WHATSAPP_WINDOW
