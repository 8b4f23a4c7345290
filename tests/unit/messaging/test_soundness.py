"""What a provider reads as nonsense reaches no conversation, and what it raises reaches nobody as its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import structlog

from messaging import errors
from messaging.instrumented import InstrumentedBackend
from messaging.model import Address, Channel, DeliveryReport, DeliveryStatus, EventKind, InboundEvent, Media, Message
from messaging.soundness import require_sound
from messaging.testing import ScriptedBackend

SOUND = InboundEvent(
    provider="x",
    event_key="letter:1",
    kind=EventKind.MESSAGE_ADDED,
    conversation_sid="PH1",
    received_at=datetime(2026, 1, 1, tzinfo=UTC),
    message=Message(body="hello", sid="1", author="ada"),
    theirs=Address(channel=Channel.CHAT, value="ada"),
)
HALF = "half \ud83d"


def test_what_is_sound_passes():
    require_sound(SOUND)
    require_sound(replace(SOUND, message=None, theirs=None, conversation_sid="", kind=EventKind.UNKNOWN))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event_key": ""}, "event_key"),
        ({"event_key": " 1"}, "event_key"),
        ({"event_key": "x" * 1025}, "event_key"),
        ({"event_key": HALF}, "event_key"),
        ({"event_key": 7}, "event_key"),
        ({"conversation_sid": ""}, "conversation_sid"),
        ({"conversation_sid": "PH1\n"}, "conversation_sid"),
        ({"conversation_sid": "PH\0"}, "conversation_sid"),
        ({"message": Message(body=HALF, sid="1")}, "message.body"),
        ({"message": Message(body="a\0b", sid="1")}, "message.body"),
        ({"message": Message(body=["hello"], sid="1")}, "message.body"),
        ({"message": Message(body="", sid=HALF)}, "message.sid"),
        ({"message": Message(body="", author=HALF)}, "message.author"),
        ({"message": Message(media=(Media(url=HALF),))}, r"message.media\[0\].url"),
        ({"theirs": Address(channel=Channel.CHAT, value=HALF)}, "theirs.value"),
        ({"ours": Address(channel=Channel.CHAT, value="x", external_id="a\0")}, "ours.external_id"),
        ({"delivery": DeliveryReport(message_sid=HALF, status=DeliveryStatus.SENT)}, "delivery.message_sid"),
        ({"delivery": DeliveryReport(message_sid="1", status=DeliveryStatus.SENT, key=HALF)}, "delivery.key"),
        ({"message": None, "conversation_sid": "", "delivery": DeliveryReport(message_sid="1", status="sent")}, "conv"),
    ],
)
def test_what_nothing_after_it_could_carry_is_refused_by_field(changes, field):
    with pytest.raises(errors.InvalidWebhook, match=f"^invalid_webhook: {field}"):
        require_sound(replace(SOUND, **changes))


async def test_every_backend_that_is_found_by_name_is_checked():
    scripted = ScriptedBackend()
    with pytest.raises(errors.InvalidWebhook, match=r"message\.body") as refused:
        await InstrumentedBackend(scripted).handle_webhook(scripted.webhook("SM1", "CH1", HALF))
    assert (refused.value.op, refused.value.provider) == ("handle_webhook", "scripted")


async def test_what_a_provider_cannot_read_is_the_senders_fault_and_is_logged_by_its_place():
    scripted = ScriptedBackend()
    scripted.script.fail("handle_webhook", ZeroDivisionError("about +15550100999"))
    with structlog.testing.capture_logs() as logs, pytest.raises(errors.InvalidWebhook, match="ZeroDivisionError"):
        await InstrumentedBackend(scripted).handle_webhook(scripted.webhook("SM1", "CH1", "hello"))
    [bug] = [log for log in logs if log["event"] == "messaging.provider_bug"]
    assert bug["place"].startswith("script.py:")
    assert "555" not in repr(logs)


@pytest.mark.parametrize(("operation", "ambiguous"), [("send_message", True), ("get_conversation", False)])
async def test_what_a_provider_raises_is_an_error_of_ours_and_a_send_of_it_may_have_happened(operation, ambiguous):
    scripted = ScriptedBackend(open_house=True)
    scripted.script.fail(operation, KeyError("+15550100999"))
    async with InstrumentedBackend(scripted) as backend:
        call = backend.send_message("CH1", Message(body="x")) if ambiguous else backend.get_conversation("CH1")
        with pytest.raises(errors.InternalError, match="the provider raised KeyError") as raised:
            await call
    assert (raised.value.ambiguous, raised.value.op, raised.value.__cause__) == (ambiguous, operation, None)
