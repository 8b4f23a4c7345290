"""What people wrote, listed by both Twilio backends over the wire, and what of it our webhooks would have been told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from messaging import errors
from messaging.backend import ConversationalBackend, ListsInbound
from messaging.model import InboundEvent, Message
from messaging.providers.twilio import message_log
from messaging.registry import new_backend
from simulator.running import PERSON, RunningSimulator, running

PUBLIC = "https://example.org"
ELSE = "https://else.example/hook"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def running_simulator() -> Iterator[RunningSimulator]:
    with running(webhook_base=PUBLIC, webhook_retries=0) as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: RunningSimulator) -> RunningSimulator:
    running_simulator.reset()
    return running_simulator


async def _open(name: str, simulator: RunningSimulator, **options: str) -> ConversationalBackend:
    backend = new_backend(
        name,
        account_sid=simulator.account_sid,
        auth_token=simulator.auth_token,
        base_url=simulator.base_url,
        webhook_url=PUBLIC,
        phone_number=simulator.phone_number,
        whatsapp_number=simulator.whatsapp_number,
        **options,
    )
    await backend.start()
    return backend


@pytest.fixture
async def texts(simulator: RunningSimulator) -> AsyncIterator[Any]:
    backend = await _open("twilio_messaging", simulator)
    yield backend
    await backend.stop()


@pytest.fixture
async def chats(simulator: RunningSimulator) -> AsyncIterator[Any]:
    backend = await _open("twilio", simulator)
    yield backend
    await backend.stop()


async def everything(
    backend: ListsInbound, since: datetime | None = None, until: datetime | None = None
) -> list[InboundEvent]:
    now = datetime.now(UTC)
    found: list[InboundEvent] = []
    cursor: str | None = None
    while True:
        page = await backend.list_inbound(since=since or now - DAY, until=until or now + DAY, cursor=cursor)
        assert not {PERSON, PERSON[1:]} & set((page.next_cursor or "").split())
        found += page.items
        if (cursor := page.next_cursor) is None:
            return found


def bodies(events: list[InboundEvent]) -> list[str]:
    return [event.message.body for event in events if event.message]


async def test_texts_are_listed_in_order_with_their_webhooks_key(texts: Any, simulator: RunningSimulator) -> None:
    sent = [simulator.inbound(f"text {number}")["sid"] for number in range(3)]
    pair = f"{simulator.phone_number}|{PERSON}"
    await texts.send_message(pair, Message(body="ours"))
    found = await everything(texts)
    assert [event.event_key for event in found] == sent
    assert bodies(found) == ["text 0", "text 1", "text 2"]
    assert {event.conversation_sid for event in found} == {pair}
    assert all(event.received_at <= datetime.now(UTC) for event in found)
    assert await everything(texts, until=datetime.now(UTC) - timedelta(hours=1)) == []


async def test_windows_with_too_many_are_halved_and_lose_none(
    texts: Any, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_log, "_PAGE", 2)
    monkeypatch.setattr(message_log, "_MAX_PAGES", 2)
    for number in range(12):
        simulator.inbound(f"text {number:02}")
        simulator.advance(70)
    found = await everything(texts, since=datetime.now(UTC) - timedelta(minutes=1))
    assert bodies(found) == [f"text {number:02}" for number in range(12)]


@pytest.mark.parametrize("name", ["twilio", "twilio_messaging"])
async def test_a_period_or_a_cursor_that_makes_no_sense_is_refused(name: str, simulator: RunningSimulator) -> None:
    backend: Any = await _open(name, simulator)
    now = datetime.now(UTC)
    for asked in (
        {"since": now, "until": now - DAY},
        {"since": now.replace(tzinfo=None), "until": now},
        {"since": now - DAY, "until": now, "cursor": "yesterday"},
    ):
        with pytest.raises(errors.InvalidInput):
            await backend.list_inbound(**asked)
    await backend.stop()


async def test_what_is_claimed_has_its_media(texts: Any, simulator: RunningSimulator) -> None:
    simulator.inbound("look", media=["data:image/png;base64,iVBORw0KGgo="])
    [event] = await everything(texts)
    assert event.message is not None
    assert event.message.media == ()
    whole = await texts.claim(event)
    [media] = whole.message.media
    assert media.content_type == "image/png"
    assert (await texts.fetch_media(media)).content_type == "image/png"


async def test_a_text_to_another_webhook_is_not_claimed(texts: Any, simulator: RunningSimulator) -> None:
    simulator.inbound("ours")
    [ours] = await everything(texts)
    assert await texts.claim(ours) is not None
    simulator.reset()
    simulator.send_webhooks_to(ELSE)
    simulator.inbound("theirs")
    later = await _open("twilio_messaging", simulator)
    assert isinstance(later, ListsInbound)
    [theirs] = await everything(later)
    assert await later.claim(theirs) is None
    await later.stop()


@pytest.mark.parametrize("member", [False, True])
async def test_a_messaging_service_has_a_webhook_for_its_numbers(simulator: RunningSimulator, member: bool) -> None:
    sdk = simulator.client()
    simulator.send_webhooks_to(ELSE)
    service = sdk.messaging.v1.services.create(
        friendly_name="shop", inbound_request_url=f"{PUBLIC}/webhooks/twilio/messages"
    )
    if member:
        [number] = sdk.incoming_phone_numbers.list(phone_number=simulator.phone_number, limit=1)
        service.phone_numbers.create(phone_number_sid=number.sid)
    backend = await _open("twilio_messaging", simulator, messaging_service_sid=service.sid)
    assert isinstance(backend, ListsInbound)
    simulator.inbound("hello")
    [event] = await everything(backend)
    assert (await backend.claim(event) is not None) is member
    await backend.stop()


async def test_what_a_conversation_took_is_told_by_conversations_only(
    texts: Any, chats: Any, simulator: RunningSimulator
) -> None:
    sdk = simulator.client()
    conversation = sdk.conversations.v1.conversations.create()
    whatsapp = f"whatsapp:{PERSON}"
    conversation.participants.create(
        messaging_binding_address=whatsapp, messaging_binding_proxy_address=simulator.whatsapp_number
    )
    simulator.inbound("by WhatsApp", channel="whatsapp")
    [copy] = await everything(texts)
    [told] = await everything(chats)
    assert copy.ours is not None
    assert copy.ours.raw == simulator.whatsapp_number
    assert await texts.claim(copy) is None
    assert await chats.claim(told) == told
    assert told.event_key.endswith(":onMessageAdded")


async def test_of_a_conversation_only_what_others_wrote_is_listed(chats: Any, simulator: RunningSimulator) -> None:
    sdk = simulator.client()
    conversation = sdk.conversations.v1.conversations.create()
    conversation.participants.create(
        messaging_binding_address=PERSON, messaging_binding_proxy_address=simulator.phone_number
    )
    for number in range(3):
        simulator.inbound(f"text {number}")
        await chats.send_message(conversation.sid, Message(body="ours"), key=f"key-{number}")
    sdk.conversations.v1.conversations(conversation.sid).messages.create(author="system", body="a note")
    found = await everything(chats)
    assert bodies(found) == ["text 0", "text 1", "text 2"]
    assert [event.theirs.raw for event in found if event.theirs] == [PERSON] * 3


@pytest.mark.parametrize("scoped", [False, True])
async def test_a_conversation_may_have_a_webhook_of_its_own(
    chats: Any, simulator: RunningSimulator, scoped: bool
) -> None:
    sdk = simulator.client()
    sdk.conversations.v1.configuration.webhooks().update(post_webhook_url=ELSE)
    conversation = sdk.conversations.v1.conversations.create()
    if scoped:
        conversation.webhooks.create(
            target="webhook",
            configuration_url=f"{PUBLIC}/webhooks/twilio/conversations",
            configuration_method="POST",
            configuration_filters=["onMessageAdded"],
        )
    conversation.participants.create(
        messaging_binding_address=PERSON, messaging_binding_proxy_address=simulator.phone_number
    )
    simulator.inbound("hello")
    [event] = await everything(chats)
    assert (await chats.claim(event) is not None) is scoped
