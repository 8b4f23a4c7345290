"""Both Twilio backends over the genuine SDK and a far end that is a function."""

from __future__ import annotations

import asyncio
import json
import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from messaging import errors
from messaging.model import (
    Address,
    Binding,
    Channel,
    ConversationConfig,
    Media,
    Message,
    Participant,
    SendOutcome,
    Template,
    Timers,
)
from messaging.providers.twilio.conversations import ConversationsBackend
from messaging.providers.twilio.pair import AddressPair
from messaging.providers.twilio.programmable import MessagingBackend
from messaging.providers.twilio.transport import Transport
from tests.unit.messaging import wire
from tests.unit.messaging.wire import ACCOUNT, OURS, THEIRS, sid

PAIR = f"{OURS}|{THEIRS}"
NOW = datetime(2026, 2, 3, 12, 0, 0, 500_000, tzinfo=UTC)


class FarEnd:
    """Answers by method and last part of the path; keeps what it was sent."""

    def __init__(self, **answers):
        self.answers = answers
        self.sent: list[httpx.Request] = []

    async def __call__(self, request):
        self.sent.append(request)
        name = f"{request.method}_{request.url.path.rstrip('/').rpartition('/')[2].removesuffix('.json')}"
        answer = self.answers[name]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if callable(answer):
            answer = answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer

    def form(self, position=-1):
        return parse_qs(self.sent[position].content.decode(), keep_blank_values=True)

    def backend(self, kind, **options):
        def transport(**given):
            return Transport(**given, transport=httpx.MockTransport(self))

        return kind(wire.config(**options), open_transport=transport, now=lambda: NOW)


def refusal(status, code):
    return httpx.Response(status, json={"code": code, "message": f"about {THEIRS}", "status": status})


def text(number=1, **fields):
    """A message of the 2010 API."""
    made = {
        "sid": sid("SM", number),
        "account_sid": ACCOUNT,
        "body": "ok",
        "from": OURS,
        "to": THEIRS,
        "direction": "outbound-api",
        "status": "queued",
        "num_media": "0",
        "date_created": format_datetime(NOW.replace(microsecond=0)),
    }
    return made | fields


def texts(*items, more=None):
    return httpx.Response(200, json={"messages": list(items), "next_page_uri": more, "page": 0})


def said(number=1, **fields):
    """A message of a conversation."""
    made = {
        "sid": sid("IM", number),
        "conversation_sid": sid("CH"),
        "account_sid": ACCOUNT,
        "body": "ok",
        "author": "agent",
        "index": number,
        "attributes": "{}",
        "date_created": "2026-02-03T12:00:00Z",
    }
    return made | fields


def page(key, *items, more=None):
    return httpx.Response(200, json={key: list(items), "meta": {"key": key, "next_page_url": more}})


def conversation(**fields):
    return httpx.Response(201, json={"sid": sid("CH"), "account_sid": ACCOUNT, "state": "active"} | fields)


async def test_a_text_goes_from_our_address_to_theirs_and_tells_where_to_report():
    far = FarEnd(POST_Messages=httpx.Response(201, json=text(status="accepted")))
    async with _unverified(far.backend(MessagingBackend, messaging_service_sid="MG" + "a" * 32)) as backend:
        sent = await backend.send_message(PAIR, Message(body="hi", media=(Media(url="https://a/1"),)), key="turn/1 é")
    assert far.form() == {
        "To": [THEIRS],
        "From": [OURS],
        "Body": ["hi"],
        "MediaUrl": ["https://a/1"],
        "MessagingServiceSid": ["MG" + "a" * 32],
        "StatusCallback": [f"{wire.BASE}/webhooks/twilio/status?key=turn%2F1%20%C3%A9"],
    }
    assert (sent.sid, sent.conversation_sid, sent.delivery_status.value) == (sid("SM"), PAIR, "queued")


TEMPLATE = Template(sid="HX" + "a" * 32, variables={"1": "Ada", "2": "10:00"})


async def test_a_template_says_what_there_is_to_say():
    far = FarEnd(POST_Messages=[httpx.Response(201, json=text()), httpx.Response(201, json=said())])
    wanted = {"ContentSid": [TEMPLATE.sid], "ContentVariables": ['{"1": "Ada", "2": "10:00"}']}
    async with _unverified(far.backend(MessagingBackend, webhook_url=None)) as backend:
        await backend.send_message(PAIR, Message(body="known to say", template=TEMPLATE))
    assert far.form() == {"To": [THEIRS], "From": [OURS], **wanted}
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        await backend.send_message(sid("CH"), Message(template=TEMPLATE), key="turn-1")
    assert far.form() == {"Author": ["agent"], "Attributes": ['{"messaging_key": "turn-1"}'], **wanted}


@pytest.mark.parametrize("kind", [MessagingBackend, ConversationsBackend])
@pytest.mark.parametrize(
    ("template", "field"),
    [
        (Template(sid="greeting"), "template.sid"),
        (Template(sid=TEMPLATE.sid, variables={"": "x"}), "template.variables"),
        (Template(sid=TEMPLATE.sid, variables={"x" * 17: "x"}), "template.variables"),
        (Template(sid=TEMPLATE.sid, variables={"1": "x" * 257}), "template.variables"),
        (Template(sid=TEMPLATE.sid, variables={str(n): "x" for n in range(101)}), "template.variables"),
    ],
)
async def test_an_impossible_template_is_refused_by_field(kind, template, field):
    far = FarEnd()
    async with _unverified(far.backend(kind)) as backend:
        with pytest.raises(errors.InvalidMessage, match=field):
            await backend.send_message(PAIR if kind is MessagingBackend else sid("CH"), Message(template=template))
    assert far.sent == []


async def test_a_template_of_unknown_text_cannot_be_found_by_it():
    far = FarEnd(GET_Messages=texts(text(body="")))
    async with _unverified(far.backend(MessagingBackend)) as backend:
        proof = await backend.find_message(PAIR, "k", message=Message(template=TEMPLATE), since=NOW)
    assert proof.outcome is SendOutcome.UNCERTAIN


PICTURE = "https://shop.example/bike.png"


@pytest.mark.parametrize(
    ("theirs", "media", "field"),
    [
        (THEIRS, [Media(url=PICTURE)] * 11, "media: 11"),
        (f"whatsapp:{THEIRS}", [Media(url=PICTURE)] * 2, "media: 2"),
        (THEIRS, [Media(url="file:///etc/hosts")], r"media\[0\].url"),
        (THEIRS, [Media(url=PICTURE), Media(data=b"x")], r"media\[1\].url"),
        (THEIRS, [Media(url=PICTURE, content_type="image/png", size=5_000_001)], r"media\[0\].size"),
        (THEIRS, [Media(url=PICTURE, content_type="audio/mpeg", size=500_001)], r"media\[0\].size"),
        (f"whatsapp:{THEIRS}", [Media(url=PICTURE, size=16_000_001)], r"media\[0\].size"),
        (THEIRS, [Media(url="http://[::1")], r"media\[0\].url"),
        (THEIRS, [Media(url="https://shop.example/\ud800")], r"media\[0\].url"),
        (THEIRS, [Media(url=PICTURE, content_type="IMAGE/PNG; a=b", size=2_000_000)] * 3, "media: 6000000 bytes"),
    ],
)
async def test_media_that_a_channel_cannot_carry_are_refused_by_field(theirs, media, field):
    far = FarEnd()
    async with _unverified(far.backend(MessagingBackend)) as backend:
        with pytest.raises(errors.InvalidMessage, match=field):
            await backend.send_message(f"{OURS}|{theirs}", Message(media=tuple(media)))
    assert far.sent == []


async def test_several_media_go_out_with_one_text():
    far = FarEnd(POST_Messages=httpx.Response(201, json=text(num_media="2")))
    media = tuple(Media(url=f"https://shop.example/{n}.png", content_type="image/png", size=2_500_000) for n in "12")
    async with _unverified(far.backend(MessagingBackend, webhook_url=None)) as backend:
        sent = await backend.send_message(PAIR, Message(body="look", media=media))
    assert far.form()["MediaUrl"] == ["https://shop.example/1.png", "https://shop.example/2.png"]
    assert sent.channel is Channel.MMS


def uploading(**answers):
    return FarEnd(
        GET_Configuration=httpx.Response(200, json={"default_chat_service_sid": sid("IS")}),
        POST_Media=httpx.Response(201, json={"sid": sid("ME")}),
        POST_Messages=httpx.Response(201, json=said()),
        **answers,
    )


async def test_what_a_conversation_message_attaches_is_uploaded_first():
    far = uploading()
    picture = Media(data=b"\x89PNG", content_type="Image/PNG; q=1", filename="bike.png")
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        await backend.send_message(sid("CH"), Message(body="look", media=(picture,)), key="turn-1")
    upload = far.sent[1]
    assert str(upload.url) == f"https://mcs.us1.twilio.com/v1/Services/{sid('IS')}/Media"
    assert (upload.content, upload.headers["Content-Type"]) == (b"\x89PNG", "image/png")
    assert upload.headers["Authorization"].startswith("Basic ")
    assert (far.form()["MediaSid"], far.form()["Body"]) == ([sid("ME")], ["look"])


async def test_what_was_uploaded_before_is_not_uploaded_again():
    far = uploading()
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        await backend.send_message(sid("CH"), Message(media=(Media(sid=sid("ME", 7)),)))
    assert [request.url.path.rpartition("/")[2] for request in far.sent] == ["Messages"]
    assert far.form()["MediaSid"] == [sid("ME", 7)]


@pytest.mark.parametrize(
    ("media", "field"),
    [
        ((Media(data=b"x", content_type="a/b"),) * 2, "media: 2"),
        ((Media(url=PICTURE),), "media: data"),
        ((Media(data=b"", content_type="image/png"),), "media.data"),
        ((Media(data=b"x" * (16 * 1024**2 + 1), content_type="image/png"),), "media.data"),
        ((Media(data=b"x", content_type="picture"),), "media.content_type"),
    ],
)
async def test_media_that_cannot_be_uploaded_are_refused_by_field(media, field):
    far = uploading()
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        with pytest.raises(errors.InvalidMessage, match=field) as refused:
            await backend.send_message(sid("CH"), Message(body="look", media=media))
    assert (refused.value.op, refused.value.provider) == ("send_message", "twilio")
    assert not [request for request in far.sent if request.method == "POST"]


@pytest.mark.parametrize("answer", [httpx.Response(503), httpx.Response(201, json={"sid": None})])
async def test_an_upload_that_failed_sent_nothing_and_may_be_repeated(answer):
    far = uploading()
    far.answers["POST_Media"] = answer
    picture = Media(data=b"x", content_type="image/png")
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        with pytest.raises(errors.NetworkError) as failed:
            await backend.send_message(sid("CH"), Message(body="look", media=(picture,)))
    assert (failed.value.ambiguous, failed.value.retryable) == (False, True)


async def test_without_our_own_url_there_is_no_callback():
    far = FarEnd(POST_Messages=httpx.Response(201, json=text()))
    async with _unverified(far.backend(MessagingBackend, webhook_url=None)) as backend:
        await backend.send_message(f"whatsapp:{OURS}|whatsapp:{THEIRS}", Message(body="hi"), key="turn-1")
    assert far.form() == {"To": [f"whatsapp:{THEIRS}"], "From": [f"whatsapp:{OURS}"], "Body": ["hi"]}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, SendOutcome.CONFIRMED),
        ({"status": "failed"}, SendOutcome.CONFIRMED),
        ({"body": "other"}, SendOutcome.UNCERTAIN),
        ({"direction": "outbound-reply"}, SendOutcome.UNCERTAIN),
        ({"sid": sid("SM", 9)}, SendOutcome.UNCERTAIN),
        ({"num_media": "1"}, SendOutcome.UNCERTAIN),
        ({"date_created": format_datetime(NOW - timedelta(seconds=30))}, SendOutcome.UNCERTAIN),
    ],
)
async def test_a_lost_text_is_found_by_what_it_said(item, expected):
    far = FarEnd(GET_Messages=texts(text(**item)))
    async with _unverified(far.backend(MessagingBackend)) as backend:
        proof = await backend.find_message(PAIR, "k", message=Message(body="ok"), since=NOW, known={sid("SM", 9)})
    assert proof.outcome is expected
    asked = dict(parse_qsl(urlsplit(str(far.sent[-1].url)).query))
    assert (asked["To"], asked["From"]) == (THEIRS, OURS)


async def test_the_oldest_of_equal_texts_is_the_one():
    later, earlier = text(2), text(1, date_created=format_datetime(NOW - timedelta(seconds=1)))
    far = FarEnd(GET_Messages=texts(later, earlier))
    async with _unverified(far.backend(MessagingBackend)) as backend:
        proof = await backend.find_message(PAIR, "k", message=Message(body="ok"), since=NOW)
    assert proof.message.sid == sid("SM", 1)


async def test_a_text_whose_media_are_not_fetched_yet_is_found():
    far = FarEnd(GET_Messages=texts(text(num_media="0")))
    async with _unverified(far.backend(MessagingBackend)) as backend:
        wanted = Message(body="ok", media=(Media(url="https://a/1"),))
        assert (await backend.find_message(PAIR, "k", message=wanted, since=NOW)).outcome is SendOutcome.CONFIRMED


async def test_a_list_too_long_to_read_proves_nothing():
    more = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page=1&PageToken=PT1"
    far = FarEnd(GET_Messages=lambda _: texts(text(body="other"), more=more))
    async with _unverified(far.backend(MessagingBackend)) as backend:
        since = NOW - timedelta(minutes=9)
        proof = await backend.find_message(PAIR, "k", message=Message(body="ok"), since=since)
    assert (proof.outcome, len(far.sent)) == (SendOutcome.UNCERTAIN, 5)


async def test_a_look_without_anything_to_compare_proves_nothing():
    far = FarEnd()
    async with _unverified(far.backend(MessagingBackend)) as backend:
        assert (await backend.find_message(PAIR, "k")).outcome is SendOutcome.UNCERTAIN


@pytest.mark.parametrize("wrong", ["", "+1", "+1|", "|+1", "a|b|c", "a |b", "a|" + "b" * 300, "CH" + "0" * 32])
async def test_what_is_no_pair_does_not_exist(wrong):
    async with _unverified(FarEnd().backend(MessagingBackend)) as backend:
        with pytest.raises(errors.ConversationNotFound) as missing:
            await backend.send_message(wrong, Message(body="x"))
    assert missing.value.conversation_sid == ""


def test_a_pair_reads_back():
    for raw in (PAIR, f"whatsapp:{OURS}|whatsapp:US.1A", "rcs:agent|rcs:+1555"):
        assert AddressPair.parse(raw).sid == raw


async def test_errors_of_a_pair_hold_no_number():
    far = FarEnd(POST_Messages=refusal(400, 21610))
    async with _unverified(far.backend(MessagingBackend)) as backend:
        with pytest.raises(errors.RecipientBlocked) as blocked:
            await backend.send_message(PAIR, Message(body="x"))
    assert THEIRS not in f"{blocked.value!r} {blocked.value} {vars(blocked.value)}"
    assert (blocked.value.op, blocked.value.provider) == ("send_message", "twilio_messaging")


async def test_a_new_conversation_carries_what_was_asked_for():
    far = FarEnd(POST_Conversations=conversation(unique_name="ada"))
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        config = ConversationConfig(
            friendly_name="Ada",
            unique_name="ada",
            attributes={"a": 1},
            timers=Timers(inactive_after=60, closed_after=600),
        )
        made = await backend.create_conversation(config)
    assert far.form() == {
        "FriendlyName": ["Ada"],
        "UniqueName": ["ada"],
        "Attributes": ['{"a": 1}'],
        "Timers.Inactive": ["PT60S"],
        "Timers.Closed": ["PT600S"],
    }
    assert made.unique_name == "ada"


DEEP = {"a": None}
for _ in range(100_000):
    DEEP = {"a": DEEP}
HALF = "half \ud83d"


@pytest.mark.parametrize(
    ("operation", "given", "kind", "field"),
    [
        ("create_conversation", ConversationConfig(attributes=DEEP), errors.InvalidConversation, "attributes"),
        (
            "create_conversation",
            ConversationConfig(attributes={"x": math.nan}),
            errors.InvalidConversation,
            "attributes",
        ),
        ("create_conversation", ConversationConfig(friendly_name=HALF), errors.InvalidConversation, "friendly_name"),
        ("create_conversation", ConversationConfig(unique_name="x" * 257), errors.InvalidConversation, "unique_name"),
        *(
            ("create_conversation", ConversationConfig(timers=timers), errors.InvalidConversation, "timers")
            for timers in (
                Timers(inactive_after=math.nan),
                Timers(inactive_after=-5),
                Timers(inactive_after=59),
                Timers(closed_after=math.inf),
                Timers(closed_after=599),
            )
        ),
        ("send_message", Message(body=HALF), errors.InvalidMessage, "body"),
        ("send_message", Message(body="a\0b"), errors.InvalidMessage, "body"),
        ("send_message", Message(body="x", author=HALF), errors.InvalidMessage, "author"),
        ("send_message", Message(body="x", attributes=DEEP), errors.InvalidMessage, "attributes"),
        (
            "send_message",
            Message(template=Template(sid=TEMPLATE.sid, variables={1: 2})),
            errors.InvalidMessage,
            "template",
        ),
        ("add_participant", Participant(identity=""), errors.InvalidParticipant, "identity"),
        ("add_participant", Participant(identity=HALF), errors.InvalidParticipant, "identity"),
        ("add_participant", Participant(identity="a", attributes=DEEP), errors.InvalidParticipant, "attributes"),
        ("list_conversations", {"limit": "5"}, errors.InvalidInput, "TypeError"),
    ],
)
async def test_what_cannot_be_asked_for_never_reached_twilio_and_is_named(operation, given, kind, field):
    far = FarEnd()
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        call = getattr(backend, operation)
        sid_first = () if operation in {"create_conversation", "list_conversations"} else (sid("CH"),)
        with pytest.raises(kind, match=field) as refused:
            await (call(**given) if isinstance(given, dict) else call(*sid_first, given))
    assert far.sent == []
    assert (refused.value.ambiguous, refused.value.retryable) == (False, False)
    assert (refused.value.op, refused.value.provider) == (operation, "twilio")


async def test_an_identity_may_go_with_a_projected_address():
    far = FarEnd(POST_Participants=httpx.Response(201, json={"sid": sid("MB"), "identity": "bo"}))
    binding = Binding(type=Channel.SMS, projected_address=Address.parse(OURS))
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        await backend.add_participant(sid("CH"), Participant(identity="bo", binding=binding))
    assert far.form() == {"Identity": ["bo"], "MessagingBinding.ProjectedAddress": [OURS]}


@pytest.mark.parametrize("kind", [ConversationsBackend, MessagingBackend])
async def test_a_time_without_its_zone_is_refused_and_the_beginning_of_time_is_one(kind):
    far = FarEnd(GET_Messages=lambda _: texts() if kind is MessagingBackend else page("messages"))
    where, ok = PAIR if kind is MessagingBackend else sid("CH"), Message(body="ok")
    async with _unverified(far.backend(kind)) as backend:
        with pytest.raises(errors.InvalidInput, match="since") as refused:
            await backend.find_message(where, "k", message=ok, since=datetime(2026, 2, 3))  # noqa: DTZ001 - on purpose
        assert refused.value.op == "find_message"
        begin = datetime.min.replace(tzinfo=UTC)
        assert (await backend.find_message(where, "k", message=ok, since=begin)).outcome is SendOutcome.ABSENT


async def test_a_long_page_token_comes_back_as_it_was():
    token = "PT" + "x" * 3000
    more = f"https://conversations.twilio.com/v1/Conversations?Page=1&PageToken={token}"
    far = FarEnd(GET_Conversations=lambda _: page("conversations", more=more))
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        first = await backend.list_conversations()
        await backend.list_conversations(cursor=first.next_cursor)
    assert dict(parse_qsl(urlsplit(str(far.sent[-1].url)).query))["PageToken"] == token


async def test_a_message_without_a_key_is_still_known_as_ours():
    far = FarEnd(POST_Messages=httpx.Response(201, json=said()))
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        await backend.send_message(sid("CH"), Message(body="x", author="Bo"))
    assert json.loads(far.form()["Attributes"][0])["messaging_key"]


async def test_an_rcs_pair_needs_its_sender_named():
    async with _unverified(FarEnd().backend(MessagingBackend, phone_number=OURS)) as backend:
        with pytest.raises(errors.InvalidConversation, match=r"attributes\.from"):
            await backend.create_conversation(ConversationConfig(attributes={"to": f"rcs:{THEIRS}"}))


@pytest.mark.parametrize("code", [50391, 50353])
async def test_a_refused_close_keeps_its_category(code):
    far = FarEnd()
    far.answers[f"POST_{sid('CH')}"] = refusal(409, code)
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        with pytest.raises(errors.CloseFailed) as failed:
            await backend.close_conversation(sid("CH"))
    assert failed.value.category is errors.Category.CONFLICT


async def test_a_taken_unique_name_is_fetched_and_quoted():
    far = FarEnd(POST_Conversations=refusal(409, 50353))
    far.answers["GET_b"] = conversation(unique_name="a/b")
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        await backend.create_conversation(ConversationConfig(unique_name="a/b"))
    assert far.sent[-1].url.raw_path == b"/v1/Conversations/a%2Fb"


async def test_a_lost_creation_is_repeatable_only_under_a_unique_name():
    for name, repeatable in (("ada", True), (None, False)):
        far = FarEnd(POST_Conversations=httpx.Response(503))
        async with _unverified(far.backend(ConversationsBackend)) as backend:
            with pytest.raises(errors.NetworkError) as lost:
                await backend.create_conversation(ConversationConfig(unique_name=name))
        assert (lost.value.retryable, lost.value.ambiguous) == (repeatable, not repeatable)


async def test_a_message_carries_our_key_among_its_attributes():
    far = FarEnd(POST_Messages=httpx.Response(201, json=said(delivery={"delivered": "all", "sent": "all"})))
    async with _unverified(far.backend(ConversationsBackend, author="bot")) as backend:
        sent = await backend.send_message(sid("CH"), Message(body="hi", attributes={"a": 1}), key="turn-1")
    assert far.form()["Author"] == ["bot"]
    assert json.loads(far.form()["Attributes"][0]) == {"a": 1, "messaging_key": "turn-1"}
    assert "x-twilio-webhook-enabled" not in far.sent[-1].headers
    assert (sent.sid, sent.index, sent.delivery_status.value) == (sid("IM"), 1, "delivered")


async def test_the_key_is_looked_for_over_pages_and_not_forever():
    more = "https://conversations.twilio.com/v1/Conversations/CH/Messages?PageSize=100&Page=1&PageToken=PT1"
    ours = said(7, attributes='{"messaging_key": "turn-1"}')
    strange = [said(1, attributes="not json"), said(2, attributes="[]"), said(3, attributes=None)]
    far = FarEnd(GET_Messages=[page("messages", *strange, more=more), page("messages", ours)])
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        proof = await backend.find_message(sid("CH"), "turn-1")
        assert (proof.outcome, proof.message.sid) == (SendOutcome.CONFIRMED, sid("IM", 7))
        asked = dict(parse_qsl(urlsplit(str(far.sent[-1].url)).query))
        assert (asked["Order"], asked["PageToken"], asked["Page"]) == ("desc", "PT1", "1")
        far.answers["GET_Messages"] = lambda _: page("messages", said(), more=more)
        assert (await backend.find_message(sid("CH"), "turn-2")).outcome is SendOutcome.UNCERTAIN
        far.answers["GET_Messages"] = lambda _: page("messages", said(), more=more)
        old = NOW + timedelta(minutes=-2)
        assert (await backend.find_message(sid("CH"), "turn-2", since=old)).outcome is SendOutcome.UNCERTAIN


async def test_a_pair_that_another_conversation_holds_is_refused():
    far = FarEnd(POST_Participants=refusal(409, 50416), GET_Participants=page("participants"))
    binding = Binding(type=Channel.SMS, address=Address.parse(THEIRS), proxy_address=Address.parse(OURS))
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        with pytest.raises(errors.InvalidParticipant):
            await backend.add_participant(sid("CH"), Participant(binding=binding))


async def test_a_pair_that_is_here_already_is_returned():
    present = {"sid": sid("MB"), "messaging_binding": {"type": "sms", "address": THEIRS, "proxy_address": OURS}}
    far = FarEnd(POST_Participants=refusal(409, 50416), GET_Participants=page("participants", present))
    binding = Binding(type=Channel.SMS, address=Address.parse(THEIRS), proxy_address=Address.parse(OURS))
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        assert (await backend.add_participant(sid("CH"), Participant(binding=binding))).sid == sid("MB")


async def test_everybody_in_a_conversation_is_told_over_all_pages():
    ana = {"sid": sid("MB"), "identity": "ana"}
    bo = {"sid": sid("MC"), "messaging_binding": {"type": "sms", "address": THEIRS, "proxy_address": OURS}}
    pages = [
        page("participants", ana, more=f"/v1/Conversations/{sid('CH')}/Participants?PageToken=2"),
        page("participants", bo),
    ]
    far = FarEnd(GET_Participants=lambda _: pages.pop(0))
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        there = await backend.list_participants(sid("CH"))
    assert [(p.sid, p.identity, p.binding and p.binding.address.raw) for p in there] == [
        (sid("MB"), "ana", None),
        (sid("MC"), None, THEIRS),
    ]


async def test_what_cannot_be_closed_says_so():
    far = FarEnd()
    far.answers[f"POST_{sid('CH')}"] = refusal(400, 50378)
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        with pytest.raises(errors.CloseFailed) as failed:
            await backend.close_conversation(sid("CH"))
    assert failed.value.provider_code == 50378


@pytest.mark.parametrize("wrong", ["", "../Services", "CH 1", "CH/../x", "é", "C" * 65])
async def test_a_sid_that_could_be_none_never_reaches_a_url(wrong):
    far = FarEnd()
    async with _unverified(far.backend(ConversationsBackend)) as backend:
        with pytest.raises(errors.ConversationNotFound):
            await backend.get_conversation(wrong)
    assert far.sent == []


@pytest.mark.parametrize("cursor", ["", "x", "1", "a:b", "1:\n", "1:" + "x" * 9000])
async def test_a_cursor_that_is_none_of_ours_is_refused(cursor):
    async with _unverified(FarEnd().backend(ConversationsBackend)) as backend:
        with pytest.raises(errors.InvalidInput, match="cursor"):
            await backend.list_conversations(cursor=cursor)


async def test_a_fake_without_the_resource_proves_the_credentials_too():
    backend = FarEnd(GET_Conversations=refusal(404, 20404)).backend(ConversationsBackend)
    await backend.start()
    assert (await backend.health_check()).status.value == "healthy"
    await backend.stop()


async def test_stopping_lets_what_is_in_flight_end():
    release = asyncio.Event()

    async def slow(_request):
        await release.wait()
        return httpx.Response(201, json=said())

    backend = FarEnd(POST_Messages=slow).backend(ConversationsBackend)
    await backend.start(verify=False)
    sending = asyncio.create_task(backend.send_message(sid("CH"), Message(body="x")))
    await asyncio.sleep(0.05)
    stopping = asyncio.create_task(backend.stop())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    with pytest.raises(errors.ShutdownError):
        await backend.get_conversation(sid("CH"))
    release.set()
    assert (await sending).sid == sid("IM")
    await stopping


class _unverified:  # noqa: N801 - reads as a verb
    """Start without asking the far end."""

    def __init__(self, backend):
        self.backend = backend

    async def __aenter__(self):
        await self.backend.start(verify=False)
        return self.backend

    async def __aexit__(self, *_):
        await self.backend.stop()
