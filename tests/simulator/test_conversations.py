"""Conversations by the genuine SDK."""

import json

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.simulator.harness import OURS, THEIRS, Receiver, Running, eventually, refused, simulator


def bound(conversation, person: str = THEIRS):
    return conversation.participants.create(
        messaging_binding_address=person, messaging_binding_proxy_address=OURS
    )  # fmt: skip


@pytest.fixture
def v1(sim: Running):
    return sim.sdk.conversations.v1


def test_a_conversation_lives_from_create_to_delete(v1) -> None:
    made = v1.conversations.create(friendly_name="Ann", unique_name="ann", attributes='{"a":1}', timers_inactive="PT5M")
    assert (made.state, json.loads(made.attributes)) == ("active", {"a": 1})
    assert "date_inactive" in made.timers
    assert v1.conversations("ann").fetch().sid == made.sid
    assert refused(lambda: v1.conversations.create(unique_name="ann")) == (409, 50353)
    assert made.update(friendly_name="Bea").friendly_name == "Bea"
    assert made.update(state="closed").state == "closed"
    assert refused(lambda: made.update(friendly_name="Cid")) == (400, 50377)
    assert made.delete()
    assert refused(made.fetch) == (404, 20404)


def test_conversations_are_listed_over_absolute_pages(sim: Running, v1) -> None:
    sids = [v1.conversations.create().sid for _ in range(5)]
    v1.conversations(sids[0]).update(state="inactive")
    assert [c.sid for c in v1.conversations.list(page_size=2)] == sids[::-1]
    assert [c.sid for c in v1.conversations.list(state="inactive")] == sids[:1]
    page = sim.http.get(
        "/conversations/v1/Conversations?PageSize=2", auth=(sim.config.account_sid, sim.config.auth_token)
    ).json()
    assert page["meta"]["key"] == "conversations"
    assert page["meta"]["next_page_url"].startswith(
        "https://conversations.twilio.com/v1/Conversations?PageSize=2&Page=1"
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"unique_name": "CH" + "0" * 32}, 50390),
        ({"state": "closed"}, 50384),
        ({"state": "asleep"}, 50378),
        ({"attributes": "{"}, 50304),
        ({"timers_inactive": "PT1S"}, 50375),
        ({"timers_inactive": "soon"}, 50379),
        ({"timers_closed": "PT5M"}, 50376),
    ],
)
def test_a_bad_conversation_is_refused_with_its_code(v1, fields: dict[str, str], code: int) -> None:
    assert refused(lambda: v1.conversations.create(**fields)) == (400, code)


def test_an_address_pair_belongs_to_one_conversation_until_it_closes(v1) -> None:
    first, second = v1.conversations.create(), v1.conversations.create()
    participant = bound(first)
    assert participant.messaging_binding == {"type": "sms", "address": THEIRS, "proxy_address": OURS}
    assert refused(lambda: bound(first)) == (409, 50433)
    with pytest.raises(TwilioRestException) as caught:
        bound(second)
    assert (caught.value.code, caught.value.msg.endswith(first.sid)) == (50416, True)
    first.update(state="closed")
    assert bound(second).sid
    found = v1.participant_conversations.list(address=THEIRS)
    assert [row.conversation_sid for row in found] == [second.sid, first.sid]


def test_bad_participants_are_refused_with_their_codes(v1) -> None:
    participants = v1.conversations.create().participants

    def code(**fields: str) -> int:
        return refused(lambda: participants.create(**fields))[1]

    assert code(messaging_binding_address=THEIRS) == 50412
    assert code(messaging_binding_address=OURS, messaging_binding_proxy_address=OURS) == 50409
    assert code(messaging_binding_address="x", messaging_binding_proxy_address=OURS) == 50407
    assert code(messaging_binding_address="+15550100001", messaging_binding_proxy_address=OURS) == 50407
    assert code(messaging_binding_address=f"whatsapp:{THEIRS}", messaging_binding_proxy_address=OURS) == 50414
    assert code(messaging_binding_address=THEIRS, messaging_binding_proxy_address="+15551112222") == 50413
    participants.create(identity="ann")
    assert code(identity="ann") == 50433
    assert participants("ann").fetch().messaging_binding is None
    assert participants("ann").delete()


def test_messages_have_index_author_attributes_and_order(v1) -> None:
    conversation = v1.conversations.create()
    ann = conversation.participants.create(identity="ann")
    for n in range(3):
        conversation.messages.create(author="ann", body=str(n), attributes=json.dumps({"oid": str(n)}))
    system = conversation.messages.create(body="end")
    assert (system.author, system.participant_sid, system.delivery) == ("system", None, None)
    assert [m.body for m in conversation.messages.list(page_size=2)] == ["0", "1", "2", "end"]
    newest = conversation.messages.list(order="desc", limit=2)
    assert [m.index for m in newest] == [3, 2]
    assert (newest[1].participant_sid, json.loads(newest[1].attributes)) == (ann.sid, {"oid": "2"})
    assert system.delete()
    assert refused(system.fetch) == (404, 20404)
    assert refused(lambda: conversation.messages.create(author="ann")) == (400, 50503)


def test_what_is_said_reaches_every_phone_but_the_authors(sim: Running, v1, product: Receiver) -> None:
    conversation = v1.conversations.create()
    bound(conversation)
    bound(conversation, "+15557650002")
    message = conversation.messages.create(author="agent", body="Hello")
    eventually(lambda: [r.status for r in message.delivery_receipts.list()] == ["delivered"] * 2)
    assert message.fetch().delivery == {
        "total": 2, "sent": "all", "delivered": "all", "read": "none", "failed": "none", "undelivered": "none",
    }  # fmt: skip
    assert [m["body"] for m in sim.messages()] == ["Hello"]
    updates = eventually(lambda: len(product.events("onDeliveryUpdated")) == 4 and product.events("onDeliveryUpdated"))
    assert all(hook.genuine(sim.config.auth_token) for hook in updates)
    assert {hook["Status"] for hook in updates} == {"sent", "delivered"}
    assert product.events("onMessageAdded") == []  # a REST call does not echo
    sim.text("Hi all")
    eventually(lambda: [m["body"] for m in sim.messages("+15557650002")] == ["Hello", "Hi all"])
    assert [m["body"] for m in sim.messages()] == ["Hello", "Hi all"]


def test_a_rest_call_echoes_when_asked(v1, product: Receiver) -> None:
    conversation = v1.conversations.create()
    conversation.messages.create(body="x", x_twilio_webhook_enabled="true")
    (hook,) = product.wait(1)
    assert (hook["EventType"], hook["Source"], hook["Author"]) == ("onMessageAdded", "API", "system")


def test_a_text_goes_into_its_conversation_and_to_the_numbers_own_webhook(sim: Running, v1, product: Receiver) -> None:
    conversation = v1.conversations.create()
    participant = bound(conversation)
    view = sim.text("Hello")
    assert view["conversation_sid"] == conversation.sid
    product.wait(2)
    (hook,) = product.events("onMessageAdded")
    assert hook.genuine(sim.config.auth_token)
    assert (hook["Source"], hook["Author"], hook["ParticipantSid"], hook["Index"]) == (
        "SMS", THEIRS, participant.sid, "0",
    )  # fmt: skip
    assert hook["RetryCount"] == "0"
    assert [h["Body"] for h in product.at("/webhooks/twilio/messages")] == ["Hello"]


def test_dual_delivery_can_be_off(product: Receiver) -> None:
    with simulator(product.base, dual_delivery=False) as sim:
        bound(sim.sdk.conversations.v1.conversations.create())
        sim.text("Hello")
        product.wait(1)
        eventually(lambda: sim.http.get("/_sim/health").json()["webhooks_pending"] == 0)
        assert [hook.path for hook in product.hooks] == ["/webhooks/twilio/conversations"]


def test_a_text_to_a_configured_address_opens_a_conversation(sim: Running, v1, product: Receiver) -> None:
    v1.address_configurations.create(
        type="sms", address=OURS, auto_creation_enabled=True, auto_creation_type="webhook",
        auto_creation_webhook_url=f"{product.base}/scoped", auto_creation_webhook_filters=["onMessageAdded"],
    )  # fmt: skip
    sid = sim.text("Hello")["conversation_sid"]
    product.wait(5)
    events = [hook["EventType"] for hook in product.at("/webhooks/twilio/conversations")]
    assert events == ["onConversationAdded", "onParticipantAdded", "onMessageAdded"]
    assert [hook["EventType"] for hook in product.at("/scoped")] == ["onMessageAdded"]
    assert product.events("onConversationAdded")[0]["MessagingBinding.Address"] == THEIRS
    assert sim.text("Again")["conversation_sid"] == sid
    v1.conversations(sid).update(state="closed")
    assert sim.text("Anew")["conversation_sid"] not in {None, sid}


def test_a_chat_user_is_heard_as_from_an_sdk(sim: Running, product: Receiver) -> None:
    answer = sim.http.post("/_sim/chat", json={"identity": "ann", "body": "Hello"}).json()
    product.wait(3)
    (hook,) = product.events("onMessageAdded")
    assert (hook["Source"], hook["ClientIdentity"], hook["Author"]) == ("SDK", "ann", "ann")
    again = sim.http.post("/_sim/chat", json={"identity": "ann", "body": "Again", **answer, "sid": None}).json()
    assert (again["conversation_sid"], again["index"]) == (answer["conversation_sid"], 1)


def test_filters_choose_and_a_service_hook_replaces_the_global_one(sim: Running, v1, product: Receiver) -> None:
    v1.configuration.webhooks().update(filters=["onMessageAdded"])
    service = v1.services.create(friendly_name="Other")
    v1.services(service.sid).configuration.webhooks().update(
        post_webhook_url=f"{product.base}/service", filters=["onMessageAdded", "onConversationAdded"]
    )
    v1.conversations.create(x_twilio_webhook_enabled="true")
    there = v1.services(service.sid).conversations.create(x_twilio_webhook_enabled="true", unique_name="x")
    assert [(h.path, h["EventType"]) for h in product.wait(1)] == [("/service", "onConversationAdded")]
    assert there.sid not in [c.sid for c in v1.conversations.list()]
    assert v1.services(service.sid).conversations("x").fetch().chat_service_sid == service.sid


def test_conversations_are_listed_by_day(sim: Running, v1) -> None:
    old = v1.conversations.create(date_created="2020-01-31T23:30:00Z")
    new = v1.conversations.create()
    assert [row.sid for row in v1.conversations.list(end_date="2020-01-31")] == [old.sid]
    assert [row.sid for row in v1.conversations.list(start_date="2020-02-01")] == [new.sid]
    auth = (sim.config.account_sid, sim.config.auth_token)
    for query, code in (("StartDate=soon", 20001), ("State=asleep", 50378)):
        answer = sim.http.get(f"/v1/Conversations?{query}", auth=auth)
        assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [({"body": "x" * 1601}, 400, 50504), ({"author": "x" * 257}, 400, 50310), ({"attributes": "{"}, 400, 50304)],
)
def test_a_message_is_not_edited_beyond_its_limits(v1, fields: dict[str, str], status: int, code: int) -> None:
    message = v1.conversations.create().messages.create(body="x")
    assert refused(lambda: message.update(**fields)) == (status, code)
    assert message.update(body="y", date_updated="2020-01-01T00:00:00Z").date_updated.year == 2020
