"""Webhooks as the simulator sends them, read by the backends."""

from __future__ import annotations

import itertools

import pytest

from messaging import errors
from messaging.model import ConversationConfig, DeliveryStatus, EventKind, Message, Participant
from messaging.providers.twilio import conversations_backend, messaging_backend
from tests.unit.messaging.simulated import twilio

people = itertools.count(15550103000)


@pytest.fixture
def person():
    return f"+{next(people)}"


async def test_a_text_of_a_person_is_read(simulator, receiver, person):
    backend = messaging_backend(twilio("twilio_messaging", simulator, webhook_url=receiver.url))
    await simulator.tell("inbound", **{"from": person, "body": "hi ☃ & bye", "media": ["https://a.example/1.png"]})
    [request] = await receiver.heard("messages", person[1:])
    [event] = await backend.handle_webhook(request)
    assert (event.kind, event.message.body, event.theirs.phone) == (EventKind.MESSAGE_ADDED, "hi ☃ & bye", person)
    assert len(event.message.media) == 1


async def test_a_repeated_webhook_is_the_same_event(simulator, receiver, person):
    backend = messaging_backend(twilio("twilio_messaging", simulator, webhook_url=receiver.url))
    await simulator.tell("faults", kind="webhook_duplicate")
    await simulator.tell("inbound", **{"from": person, "body": "hi"})
    requests = await receiver.heard("messages", person[1:], count=2)
    events = [event for request in requests for event in await backend.handle_webhook(request)]
    assert len({event.event_key for event in events}) == 1


async def test_a_wrongly_signed_webhook_is_refused(simulator, receiver, person):
    backend = messaging_backend(twilio("twilio_messaging", simulator, webhook_url=receiver.url))
    await simulator.tell("faults", kind="webhook_signature")
    await simulator.tell("inbound", **{"from": person, "body": "hi"})
    [request] = await receiver.heard("messages", person[1:])
    with pytest.raises(errors.InvalidSignature):
        await backend.handle_webhook(request)


async def test_reports_of_a_send_bring_its_key_back(simulator, receiver, person):
    config = twilio("twilio_messaging", simulator, webhook_url=receiver.url)
    async with messaging_backend(config) as backend:
        sid = (await backend.create_conversation(ConversationConfig(attributes={"to": person}))).sid
        sent = await backend.send_message(sid, Message(body="hello"), key="turn/1 é")
        requests = await receiver.heard("status", sent.sid, count=2)
        await receiver.heard("status", sent.sid, "delivered")
        events = [event for request in requests for event in await backend.handle_webhook(request)]
    assert {event.delivery.key for event in events} == {"turn/1 é"}
    assert {event.conversation_sid for event in events} == {sid}
    assert {event.delivery.message_sid for event in events} == {sent.sid}
    assert DeliveryStatus.UNKNOWN not in {event.delivery.status for event in events}


async def test_a_whatsapp_text_is_answered_on_whatsapp(simulator, receiver, person):
    config = twilio("twilio_messaging", simulator, webhook_url=receiver.url)
    async with messaging_backend(config) as backend:
        await simulator.tell("inbound", **{"from": f"whatsapp:{person}", "body": "hi"})
        [request] = await receiver.heard("messages", person[1:])
        [event] = await backend.handle_webhook(request)
        sent = await backend.send_message(event.conversation_sid, Message(body="hello"), key="turn-1")
    assert (event.theirs.channel.value, sent.channel.value) == ("whatsapp", "whatsapp")


async def test_what_is_said_in_a_conversation_is_read_and_our_own_send_is_not_told(simulator, receiver):
    config = twilio("twilio", simulator, webhook_url=receiver.url)
    async with conversations_backend(config) as backend:
        sid = (await backend.create_conversation(ConversationConfig())).sid
        await backend.add_participant(sid, Participant(identity="ada"))
        ours = await backend.send_message(sid, Message(body="ours"), key="turn-1")
        await simulator.tell("chat", identity="ada", body="theirs", conversation_sid=sid)
        [request] = await receiver.heard("onMessageAdded", sid, "theirs")
        [event] = await backend.handle_webhook(request)
        assert (event.kind, event.conversation_sid, event.message.body) == (EventKind.MESSAGE_ADDED, sid, "theirs")
        assert (event.theirs.value, event.echo, event.message.author) == ("ada", False, "ada")
        assert event.index > ours.index
    assert not [request for request in receiver.kept if ours.sid in request.body.decode()]
