"""Webhooks of Twilio, from raw requests to events."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from messaging import errors
from messaging.errors import Category
from messaging.model import Channel, ConversationState, DeliveryStatus, EventKind, OptOut, WebhookRequest
from messaging.providers.twilio import conversations_backend, messaging_backend
from tests.unit.messaging import wire
from tests.unit.messaging.wire import ACCOUNT, OURS, THEIRS, event, inbound, request, sid, status


async def read(route, fields, *, query="", **options):
    factory = conversations_backend if route == "conversations" else messaging_backend
    [found] = await factory(wire.config(**options)).handle_webhook(request(route, fields, query=query))
    return found


async def test_an_inbound_text_becomes_a_message():
    found = await read("messages", inbound(Body="hi ☃"))
    assert (found.kind, found.event_key, found.account_sid) == (EventKind.MESSAGE_ADDED, sid("SM"), ACCOUNT)
    assert found.conversation_sid == f"{OURS}|{THEIRS}"
    assert (found.message.body, found.message.channel, found.message.media) == ("hi ☃", Channel.SMS, ())
    assert (found.ours.phone, found.theirs.phone) == (OURS, THEIRS)
    assert not found.echo
    assert found.raw["NumSegments"] == "1"


async def test_media_come_with_their_types():
    found = await read(
        "messages",
        inbound(
            NumMedia="2",
            MediaUrl0="https://api.twilio.com/Media/ME1",
            MediaContentType0="image/png",
            MediaUrl1="https://x/ME2",
        ),
    )
    assert found.message.channel is Channel.MMS
    assert [(item.sid, item.content_type) for item in found.message.media] == [
        ("ME1", "image/png"),
        ("ME2", "application/octet-stream"),
    ]


async def test_whatsapp_keeps_the_stable_id_beside_the_number():
    found = await read(
        "messages",
        inbound(
            From=f"whatsapp:{THEIRS}",
            To=f"whatsapp:{OURS}",
            ExternalUserId="whatsapp:US.1A2B",
            ProfileName="Ada",
            WaId="1555",
            ButtonText="Yes",
            ButtonPayload="yes",
            OriginalRepliedMessageSid=sid("SM", 9),
            Latitude="1.5",
            Longitude="2.5",
        ),
    )
    assert found.theirs.channel is Channel.WHATSAPP
    assert (found.theirs.phone, found.theirs.external_id) == (THEIRS, "US.1A2B")
    assert found.conversation_sid == f"whatsapp:{OURS}|whatsapp:{THEIRS}"
    assert found.message.attributes == {
        "button": {"text": "Yes", "payload": "yes"},
        "reply_to": {"sid": sid("SM", 9)},
        "location": {"latitude": "1.5", "longitude": "2.5"},
        "profile": {"name": "Ada", "wa_id": "1555"},
    }


async def test_a_person_without_a_number_is_their_stable_id():
    found = await read("messages", inbound(From="whatsapp:US.1A2B", To=f"whatsapp:{OURS}"))
    assert (found.theirs.phone, found.theirs.external_id) == (None, "US.1A2B")


@pytest.mark.parametrize(
    ("word", "expected"), [("STOP", OptOut.STOP), ("start", OptOut.START), ("NEW", None), ("", None)]
)
async def test_opt_outs_that_twilio_answered_are_told(word, expected):
    assert (await read("messages", inbound(OptOutType=word))).opt_out is expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("accepted", DeliveryStatus.QUEUED),
        ("sent", DeliveryStatus.SENT),
        ("delivered", DeliveryStatus.DELIVERED),
        ("undelivered", DeliveryStatus.UNDELIVERED),
        ("read", DeliveryStatus.READ),
        ("canceled", DeliveryStatus.FAILED),
        ("tomorrow", DeliveryStatus.UNKNOWN),
    ],
)
async def test_a_status_callback_brings_the_key_back(word, expected):
    found = await read("status", status(word, ErrorCode="30003"), query="key=turn%2F1")
    assert (found.kind, found.event_key) == (EventKind.DELIVERY_UPDATED, f"{sid('SM')}:{word}")
    assert (found.delivery.status, found.delivery.key, found.delivery.error_code) == (expected, "turn/1", 30003)
    assert found.delivery.category is Category.RETRY
    assert found.conversation_sid == f"{OURS}|{THEIRS}"
    assert found.message is None


async def test_a_status_on_the_route_of_messages_is_a_status():
    assert (await read("messages", status("sent"))).kind is EventKind.DELIVERY_UPDATED


async def test_an_outbound_direction_is_an_echo():
    assert (await read("messages", inbound(Direction="outbound-api", SmsStatus="sent"))).echo


EVENTS = {
    "onConversationAdded": EventKind.CONVERSATION_ADDED,
    "onConversationUpdated": EventKind.CONVERSATION_UPDATED,
    "onConversationRemoved": EventKind.CONVERSATION_REMOVED,
    "onConversationStateUpdated": EventKind.CONVERSATION_STATE_UPDATED,
    "onMessageAdded": EventKind.MESSAGE_ADDED,
    "onMessageUpdated": EventKind.MESSAGE_UPDATED,
    "onMessageRemoved": EventKind.MESSAGE_REMOVED,
    "onParticipantAdded": EventKind.PARTICIPANT_ADDED,
    "onParticipantUpdated": EventKind.PARTICIPANT_UPDATED,
    "onParticipantRemoved": EventKind.PARTICIPANT_REMOVED,
    "onDeliveryUpdated": EventKind.DELIVERY_UPDATED,
    "onConversationAdd": EventKind.UNKNOWN,
    "onMessageAdd": EventKind.UNKNOWN,
    "onUserAdded": EventKind.UNKNOWN,
    "onSomethingNew": EventKind.UNKNOWN,
}


@pytest.mark.parametrize(("name", "kind"), EVENTS.items())
async def test_every_event_has_its_kind_and_a_key_that_repeats(name, kind):
    fields = event(name, Status="sent", DeliveryReceiptSid=sid("DY"), DateUpdated="2026-02-03T04:05:07Z")
    first, second = await read("conversations", fields), await read("conversations", fields | {"RetryCount": "1"})
    assert first.kind is kind
    assert first.event_key == second.event_key
    assert first.conversation_sid == sid("CH")


async def test_two_edits_of_a_message_are_two_events():
    edits = [event("onMessageUpdated", DateUpdated=f"2026-02-03T04:05:0{second}Z") for second in (1, 2)]
    first, second = [await read("conversations", edit) for edit in edits]
    assert first.event_key != second.event_key


async def test_two_changes_of_one_instant_are_two_events_and_a_repetition_is_none():
    def read_to(index, retry):
        changed = {"LastReadMessageIndex": index, "DateUpdated": "2026-02-03T04:05:06Z", "RetryCount": retry}
        return read("conversations", event("onParticipantUpdated", **changed))

    keys = [(await read_to(*given)).event_key for given in (("3", "0"), ("4", "0"), ("3", "1"))]
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]


async def test_who_writes_by_whatsapp_is_known_by_their_stable_id():
    found = await read(
        "conversations", event("onMessageAdded", Author=f"whatsapp:{THEIRS}", ExternalUserId="whatsapp:US.1A")
    )
    assert (found.theirs.phone, found.theirs.external_id) == (THEIRS, "US.1A")


async def test_a_sender_that_is_a_name_with_a_space_reports_too():
    assert (await read("status", status("delivered", From="My Bank"))).delivery.status is DeliveryStatus.DELIVERED


async def test_a_message_of_a_conversation_has_index_author_and_time():
    media = json.dumps([{"Sid": "ME1", "ContentType": "image/png", "Filename": "a.png", "Size": 7}])
    found = await read(
        "conversations", event("onMessageAdded", Media=media, Author=f"whatsapp:{THEIRS}", Source="WHATSAPP")
    )
    assert found.event_key == f"{sid('IM')}:onMessageAdded"
    assert (found.index, found.message.index, found.message.channel) == (3, 3, Channel.WHATSAPP)
    assert found.occurred_at.isoformat() == "2026-02-03T04:05:06.789000+00:00"
    assert (found.message.media[0].filename, found.message.media[0].size) == ("a.png", 7)
    assert (found.theirs.phone, found.participant.sid, found.echo) == (THEIRS, sid("MB"), False)


@pytest.mark.parametrize(
    "changes",
    [
        {"Source": "API"},
        {"Source": "api"},
        {"Author": "agent"},
        {"Attributes": json.dumps({"messaging_key": "turn-1"})},
    ],
)
async def test_our_own_send_is_an_echo(changes):
    assert (await read("conversations", event("onMessageAdded", **changes))).echo


async def test_the_author_we_send_as_is_configured():
    assert (await read("conversations", event("onMessageAdded", Author="bot"), author="bot")).echo
    assert not (await read("conversations", event("onMessageAdded", Author="ada", Source="SDK"))).echo


async def test_a_chat_identity_is_no_number():
    found = await read("conversations", event("onMessageAdded", Author="ada", Source="SDK"))
    assert (found.theirs.channel, found.theirs.value, found.message.channel) == (Channel.CHAT, "ada", Channel.CHAT)


async def test_a_state_change_tells_the_state():
    change = {"StateFrom": "active", "StateTo": "closed", "StateUpdated": "2026-02-03T04:05:09Z", "Reason": "TIMER"}
    found = await read("conversations", event("onConversationStateUpdated", **change))
    assert found.conversation.state is ConversationState.CLOSED
    assert found.raw["Reason"] == "TIMER"


async def test_a_participant_event_tells_both_addresses():
    ends = {"Address": THEIRS, "ProxyAddress": OURS, "Type": "SMS"}
    fields = event("onParticipantAdded", **{f"MessagingBinding.{name}": value for name, value in ends.items()})
    found = await read("conversations", fields)
    assert (found.ours.phone, found.theirs.phone, found.participant.binding.type) == (OURS, THEIRS, Channel.SMS)


async def test_a_receipt_is_a_delivery_report():
    found = await read(
        "conversations", event("onDeliveryUpdated", DeliveryReceiptSid=sid("DY"), Status="failed", ErrorCode="63016")
    )
    assert found.event_key == f"{sid('DY')}:failed"
    assert (found.delivery.status, found.delivery.error_code, found.delivery.message_sid) == (
        DeliveryStatus.FAILED,
        63016,
        sid("IM"),
    )
    assert found.delivery.category is Category.WINDOW


async def test_a_report_of_no_failure_has_no_category():
    assert (await read("status", status("sent"))).delivery.category is None


async def test_a_get_carries_everything_in_its_query():
    sent = request("messages", inbound())
    query = sent.body.decode()
    got = replace(
        sent,
        method="GET",
        query=query,
        body=b"",
        headers={"x-twilio-signature": wire.sign(f"{wire.BASE}{sent.path}?{query}")},
    )
    [found] = await messaging_backend(wire.config()).handle_webhook(got)
    assert found.message.body == "hello"


async def test_a_signed_body_that_is_no_form_is_kept_as_unknown():
    body = b'{"eventType":"COMMUNICATION_CREATED"}'
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    url = f"{wire.BASE}/webhooks/twilio/conversations?{query}"
    headers = {"content-type": "application/json", "x-twilio-signature": wire.sign(url)}
    sent = WebhookRequest(
        route="conversations", path="/webhooks/twilio/conversations", query=query, headers=headers, body=body
    )
    [found] = await conversations_backend(wire.config()).handle_webhook(sent)
    assert (found.kind, found.raw["body"]) == (EventKind.UNKNOWN, body.decode())


REFUSALS = [
    ("messages", inbound(From="-"), "From"),
    ("messages", inbound(To=" "), "To"),
    ("messages", inbound(MessageSid="-"), "MessageSid"),
    ("messages", inbound(MessageSid="../../x"), "MessageSid"),
    ("messages", inbound(From="a|b"), "From"),
    ("messages", inbound(AccountSid="-"), "AccountSid"),
    ("messages", inbound(AccountSid="AC" + "b" * 32), "AccountSid"),
    ("messages", inbound(NumMedia="1000000000"), "NumMedia"),
    ("messages", inbound(NumMedia="11"), "NumMedia"),
    ("messages", inbound(NumMedia="-1"), "NumMedia"),
    ("messages", inbound(NumMedia="٣"), "NumMedia"),
    ("messages", inbound(NumMedia="1"), "MediaUrl0"),
    ("messages", inbound(Body="a\0b"), "Body"),
    ("status", status("-"), "SmsStatus"),
    ("status", status(From="-"), "From"),
    ("conversations", event("-"), "EventType"),
    ("conversations", event("onMessageAdded", ConversationSid="-"), "ConversationSid"),
    ("conversations", event("onMessageAdded", MessageSid="-"), "MessageSid"),
    ("conversations", event("onMessageAdded", Index="many"), "Index"),
    ("conversations", event("onMessageAdded", Media="{"), "Media"),
    ("conversations", event("onMessageAdded", Media="[1]"), "Media"),
    ("conversations", event("onMessageAdded", Attributes="{"), "Attributes"),
    ("conversations", event("onDeliveryUpdated", Status="sent"), "DeliveryReceiptSid"),
]


@pytest.mark.parametrize(("route", "fields", "name"), REFUSALS)
async def test_what_is_missing_or_wrong_is_named_and_not_repeated(route, fields, name):
    with pytest.raises(errors.InvalidWebhook, match=f": {name}: ") as refused:
        await read(route, fields)
    assert not isinstance(refused.value, errors.InvalidSignature)
    assert THEIRS not in str(refused.value)
    assert (refused.value.op, refused.value.retryable) == ("handle_webhook", False)


async def test_limits_come_before_everything():
    backend = messaging_backend(wire.config())
    genuine = request("messages", inbound())
    for body in (b"a" * 65_537, b"a=1&" * 1_001, b"Body=%ff", b"Body=\xff"):
        with pytest.raises(errors.InvalidWebhook, match=r": body: "):
            await backend.handle_webhook(replace(genuine, body=body))


@pytest.mark.parametrize(
    "change",
    [
        {"headers": {}},
        {"headers": {"x-twilio-signature": "nonsense"}},
        {"path": "/webhooks/twilio/else"},
        {"query": "key=forged"},
        {"body": b"From=%2B1"},
    ],
)
async def test_a_webhook_under_another_signature_is_refused_before_it_is_read(change):
    genuine = request("messages", inbound())
    form = {"content-type": "application/x-www-form-urlencoded"}
    forged = replace(genuine, **{**change, "headers": form | change.get("headers", genuine.headers)})
    with pytest.raises(errors.InvalidSignature):
        await messaging_backend(wire.config()).handle_webhook(forged)


async def test_forwarded_headers_change_nothing():
    genuine = request("messages", inbound())
    claimed = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "host": "10.0.0.1"}
    proxied = replace(genuine, headers={**genuine.headers, **claimed})
    assert await messaging_backend(wire.config()).handle_webhook(proxied)


async def test_a_rotated_token_verifies_old_and_new():
    backend = messaging_backend(wire.config(auth_token="new, old"))
    for token in ("new", "old"):
        assert await backend.handle_webhook(request("messages", inbound(), token=token))
    with pytest.raises(errors.InvalidSignature):
        await backend.handle_webhook(request("messages", inbound(), token="older"))


async def test_without_our_own_url_nothing_can_be_verified():
    with pytest.raises(errors.InvalidConfig, match="webhook_url"):
        await messaging_backend(wire.config(webhook_url=None)).handle_webhook(request("messages", inbound()))


async def test_a_route_of_the_other_product_is_refused():
    with pytest.raises(errors.InvalidWebhook, match="route"):
        await conversations_backend(wire.config()).handle_webhook(request("messages", inbound()))
