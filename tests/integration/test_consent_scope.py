"""Consent of a person over all channels, where rules say so: a record of its own, asked again before each send."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from agents.turn import Draft, Turn
from messaging import errors
from runtime.consents import TemporalConsents
from tests.integration.harness import Bench, Conversation
from tests.support.ports import eventually
from workflows import policy
from workflows.policy import ConsentScope, Rules
from workflows.state import Outcome

EVERYWHERE = Rules(consent=ConsentScope.CONTACT)


def _two(bench: Bench, rules: Rules = EVERYWHERE) -> tuple[Conversation, Conversation]:
    """One person, by SMS and by WhatsApp."""
    contact = f"contact-{uuid.uuid4().hex}"
    by_sms, by_whatsapp = bench.conversation(rules), bench.conversation(rules)
    by_sms.contact_id = by_whatsapp.contact_id = contact
    by_whatsapp.channel = "whatsapp"
    return by_sms, by_whatsapp


async def _is_out(bench: Bench, person: Conversation) -> bool:
    return await TemporalConsents(bench.client, bench.queue).has_opted_out(person.contact_id)


async def _stopped(bench: Bench, person: Conversation) -> None:
    await person.text("STOP")
    await person.turn(1)
    await eventually(lambda: _is_out(bench, person))


async def test_a_stop_on_one_channel_stops_the_other_and_a_start_on_either_opens_both(bench: Bench) -> None:
    by_sms, by_whatsapp = _two(bench)
    await _stopped(bench, by_sms)
    await by_whatsapp.text("hello")
    assert (await by_whatsapp.turn(1)).outcome is Outcome.OPTED_OUT
    assert bench.agent.turns == []

    await by_whatsapp.text("START")
    await by_whatsapp.turn(2)

    async def opened() -> bool:
        return not await _is_out(bench, by_sms)

    await eventually(opened)
    await by_sms.text("hello again")
    await by_sms.turn(2)
    assert bench.outbox.bodies == ["re: hello again"]


async def test_without_the_rule_each_conversation_has_its_own_consent(bench: Bench) -> None:
    by_sms, by_whatsapp = _two(bench, Rules())
    await by_sms.text("STOP")
    await by_sms.turn(1)
    await by_whatsapp.text("hello")

    assert (await by_whatsapp.turn(1)).outcome is Outcome.ANSWERED
    assert not await _is_out(bench, by_sms)


async def test_a_stop_on_one_channel_while_the_agent_writes_on_the_other_discards_the_draft(bench: Bench) -> None:
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def slow(turn: Turn) -> Draft:
        writing.set()
        await go_on.wait()
        return Draft(text="too late")

    bench.agent.reply_with = slow
    by_sms, by_whatsapp = _two(bench)
    await by_whatsapp.text("hello")
    await writing.wait()
    await _stopped(bench, by_sms)
    go_on.set()
    turn = await by_whatsapp.turn(1)

    assert bench.outbox.bodies == []
    assert turn.outcome is Outcome.REFUSED
    assert (await by_whatsapp.view()).opted_out


async def test_a_new_conversation_of_somebody_who_has_opted_out_is_not_answered(bench: Bench) -> None:
    by_sms, by_whatsapp = _two(bench)
    await _stopped(bench, by_sms)
    await by_sms.handle.terminate()  # the record does not live in the conversation
    await by_whatsapp.text("hello")

    assert (await by_whatsapp.turn(1)).outcome is Outcome.OPTED_OUT


async def test_a_block_by_the_provider_counts_on_every_channel(bench: Bench) -> None:
    bench.outbox.fail_before = [errors.RecipientBlocked("opted out", provider_code=21610)]
    by_sms, by_whatsapp = _two(bench)
    await by_sms.text("hello")
    await by_sms.turn(1)
    await eventually(lambda: _is_out(bench, by_sms))
    await by_whatsapp.text("hello")

    assert (await by_whatsapp.turn(1)).outcome is Outcome.OPTED_OUT


async def test_consent_survives_continue_as_new(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "EVENT_BUDGET", 1)
    by_sms, _ = _two(bench)
    await _stopped(bench, by_sms)
    await by_sms.text("hello?")

    assert (await by_sms.turn(2)).outcome is Outcome.OPTED_OUT
    assert bench.outbox.bodies == []


async def test_asking_for_consent_costs_no_activity_of_its_own(bench: Bench) -> None:
    by_sms, _ = _two(bench)
    await by_sms.text("hello")
    await by_sms.turn(1)
    scheduled = 0
    async for event in by_sms.handle.fetch_history_events():
        scheduled += event.HasField("activity_task_scheduled_event_attributes")

    assert scheduled == 2  # reply and deliver


async def test_the_words_of_a_deployment_count_besides_twilios(bench: Bench) -> None:
    person = bench.conversation(Rules(stop_words=("BAJA",), start_words=("ALTA",)))
    await person.text("baja")
    assert (await person.turn(1)).outcome is Outcome.OPTED_OUT
    await person.text("¿hola?")
    assert (await person.turn(2)).outcome is Outcome.OPTED_OUT
    await person.text("Alta")
    assert (await person.turn(3)).outcome is Outcome.OPTED_IN
    assert bench.agent.turns == []
