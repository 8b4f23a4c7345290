"""Conversations webhooks: who is asked before, who is told after, and what each level hears."""

import json

import pytest
from twilio.base.exceptions import TwilioRestException

from simulator.events import POST_EVENTS, PRE_EVENTS
from tests.simulator.harness import OURS, THEIRS, Receiver, Running, eventually, refused, simulator

JSON = "application/json"
ECHO = {"x_twilio_webhook_enabled": "true"}


@pytest.fixture
def v1(sim: Running, product: Receiver):
    """With the account's hook asked before everything, at /pre, and told afterwards, at /post."""
    sim.sdk.conversations.v1.configuration.webhooks().update(
        pre_webhook_url=f"{product.base}/pre",
        post_webhook_url=f"{product.base}/post",
        filters=[*PRE_EVENTS, *POST_EVENTS],
    )
    return sim.sdk.conversations.v1


def bound(conversation):
    return conversation.participants.create(
        messaging_binding_address=THEIRS, messaging_binding_proxy_address=OURS
    )  # fmt: skip


def delete(sim: Running, path: str) -> None:
    """By hand: the SDK loses the header of a DELETE (twilio-python 9.13.0)."""
    answer = sim.http.delete(
        f"/conversations/v1/Conversations/{path}",
        headers={"X-Twilio-Webhook-Enabled": "true"},
        auth=(sim.config.account_sid, sim.config.auth_token),
    )
    assert answer.status_code == 204


def debugged(sim: Running) -> list[int]:
    return [entry["code"] for entry in sim.http.get("/_sim/debugger").json()["entries"]]


@pytest.mark.parametrize("answer", [(200, JSON, "{}"), (200, "text/plain", ""), (200, JSON, "[]"), (200, JSON, "{"),
                                    (200, JSON, '{"body": 1}')])  # fmt: skip
def test_an_empty_or_senseless_answer_changes_nothing(v1, product: Receiver, answer: tuple[int, str, str]) -> None:
    conversation = v1.conversations.create()
    product.at_path.setdefault("/pre", []).append(answer)
    assert conversation.messages.create(body="Hello", **ECHO).body == "Hello"
    (asked,) = product.at("/pre")
    assert (asked["EventType"], asked["Body"], asked["Author"], asked["Source"]) == (
        "onMessageAdd", "Hello", "system", "API",
    )  # fmt: skip
    assert not {"MessageSid", "Index"} & asked.form.keys()


def test_a_message_is_changed_before_anybody_gets_it(sim: Running, v1, product: Receiver) -> None:
    conversation = v1.conversations.create()
    bound(conversation)
    product.at_path.setdefault("/pre", []).append(
        (200, JSON, json.dumps({"body": "B", "author": "a", "attributes": '{"x":1}', "index": 7}))
    )
    message = conversation.messages.create(body="Hello", **ECHO)
    assert (message.body, message.author, message.attributes, message.index) == ("B", "a", '{"x":1}', 0)
    eventually(lambda: [m["body"] for m in sim.messages()] == ["B"])
    (told,) = eventually(lambda: product.events("onMessageAdded"))
    assert (told["Body"], told["Author"]) == ("B", "a")


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_an_error_refuses_the_action(sim: Running, v1, product: Receiver, status: int) -> None:
    conversation = v1.conversations.create()
    product.at_path.setdefault("/pre", []).append((status, "text/plain", ""))
    with pytest.raises(TwilioRestException) as caught:
        conversation.messages.create(body="Hello", **ECHO)
    assert caught.value.code == 50056
    assert conversation.messages.list() == []
    assert debugged(sim) == [50056]


def test_no_answer_in_time_changes_nothing(product: Receiver) -> None:
    with simulator(product.base, conversations_webhook_timeout=0.2) as sim:
        v1 = sim.sdk.conversations.v1
        v1.configuration.webhooks().update(pre_webhook_url=f"{product.base}/pre", filters=["onMessageAdd"])
        conversation = v1.conversations.create()
        product.slow = 5
        assert conversation.messages.create(body="Hello", **ECHO).body == "Hello"
        assert debugged(sim) == [50076]


def test_nobody_there_to_ask_changes_nothing(sim: Running) -> None:
    v1 = sim.sdk.conversations.v1
    v1.configuration.webhooks().update(pre_webhook_url="http://127.0.0.1:9/pre", filters=["onConversationAdd"])
    assert v1.conversations.create(**ECHO).sid
    assert debugged(sim) == [50057]


def test_rest_asks_nobody_unless_it_says_so(v1, product: Receiver) -> None:
    conversation = v1.conversations.create()
    conversation.messages.create(body="x").delete()
    bound(conversation).delete()
    conversation.update(friendly_name="x")
    conversation.delete()
    assert product.hooks == []


def test_each_action_has_its_pair_of_events(sim: Running, v1, product: Receiver) -> None:
    service = v1.configuration().fetch().default_chat_service_sid
    conversation = v1.conversations.create(friendly_name="A", **ECHO)
    conversation.update(friendly_name="B", **ECHO)
    participant = conversation.participants.create(identity="ann", **ECHO)
    participant.update(last_read_message_index=0, **ECHO)
    message = conversation.messages.create(body="x", **ECHO)
    message.update(body="y", **ECHO)
    delete(sim, f"{conversation.sid}/Messages/{message.sid}")
    delete(sim, f"{conversation.sid}/Participants/{participant.sid}")
    user = v1.services(service).users.create(identity="bea", **ECHO)
    user.update(friendly_name="Bea", **ECHO)
    delete(sim, conversation.sid)
    eventually(lambda: sim.http.get("/_sim/health").json()["webhooks_pending"] == 0)
    assert {hook["EventType"] for hook in product.at("/pre")} == set(PRE_EVENTS)
    told = {hook["EventType"] for hook in product.at("/post")}
    assert told == set(POST_EVENTS) - {"onConversationStateUpdated", "onDeliveryUpdated"}
    assert all(hook.genuine(sim.config.auth_token) for hook in product.hooks)
    assert all(hook["RetryCount"] == "0" for hook in product.hooks)
    assert product.events("onConversationUpdate")[0]["FriendlyName"] == "B"


# https://www.twilio.com/docs/conversations/conversations-webhooks: what a change or an end tells beside the beginning.
DATED = {
    "onMessageUpdate": {"DateUpdated"},
    "onMessageUpdated": {"DateUpdated"},
    "onMessageRemove": {"DateUpdated"},
    "onMessageRemoved": {"DateUpdated", "DateRemoved"},
    "onParticipantUpdate": {"DateUpdated"},
    "onParticipantUpdated": {"DateUpdated"},
    "onParticipantRemove": {"DateUpdated"},
    "onParticipantRemoved": {"DateUpdated", "DateRemoved"},
    "onConversationRemove": {"DateUpdated"},
    "onConversationRemoved": {"DateUpdated", "DateRemoved"},
    "onUserUpdated": {"DateUpdated", "IsOnline", "IsNotifiable"},
    "onMessageAdded": set(),
    "onParticipantAdded": set(),
}


def test_a_change_and_an_end_are_dated(sim: Running, v1, product: Receiver) -> None:
    conversation = v1.conversations.create()
    member = conversation.participants.create(identity="ann", **ECHO)
    member.update(attributes="{}", **ECHO)
    message = conversation.messages.create(body="x", **ECHO)
    message.update(body="y", **ECHO)
    v1.users("ann").update(friendly_name="Ann", **ECHO)
    for path in (f"/Messages/{message.sid}", f"/Participants/{member.sid}", ""):
        delete(sim, conversation.sid + path)
    told = eventually(lambda: all(map(product.events, DATED)) and {name: product.events(name)[0] for name in DATED})
    dates = {"DateUpdated", "DateRemoved", "IsOnline", "IsNotifiable"}
    assert {name: dates & hook.form.keys() for name, hook in told.items()} == DATED


def test_a_new_conversation_is_asked_about_with_its_messaging_service(v1, product: Receiver) -> None:
    opened = v1.conversations.create(**ECHO)
    (asked,) = product.events("onConversationAdd")
    assert asked["MessagingServiceSid"] == opened.messaging_service_sid


def test_the_service_is_asked_in_place_of_the_account(v1, product: Receiver) -> None:
    service = v1.services.create(friendly_name="Other")
    v1.services(service.sid).configuration.webhooks().update(
        pre_webhook_url=f"{product.base}/service", filters=["onConversationAdd"]
    )
    v1.services(service.sid).conversations.create(**ECHO)
    assert [(h.path, h["EventType"]) for h in product.hooks] == [("/service", "onConversationAdd")]


def test_an_opening_text_is_shown_and_may_be_refused(sim: Running, v1, product: Receiver) -> None:
    v1.address_configurations.create(type="sms", address=OURS, auto_creation_enabled=True)
    product.at_path.setdefault("/pre", []).append((403, "text/plain", ""))
    assert sim.text("Hello", media=["https://example.com/a.png"])["conversation_sid"] is None
    asked = product.at("/pre")[0]
    assert (asked["EventType"], asked["MessageBody"], asked["MessagingBinding.Address"], asked["Source"]) == (
        "onConversationAdd", "Hello", THEIRS, "SMS",
    )  # fmt: skip
    assert json.loads(asked["Media"])[0]["ContentType"] == "image/png"
    assert v1.conversations.list() == []
    product.at_path.setdefault("/pre", []).append((200, JSON, '{"friendly_name": "Ann"}'))
    sid = sim.text("Hello")["conversation_sid"]
    assert v1.conversations(sid).fetch().friendly_name == "Ann"
    told = eventually(lambda: len(product.at("/post")) == 3 and [h["EventType"] for h in product.at("/post")])
    assert told == ["onConversationAdded", "onParticipantAdded", "onMessageAdded"]


def test_a_text_into_a_conversation_may_be_changed_or_dropped(sim: Running, v1, product: Receiver) -> None:
    conversation = v1.conversations.create()
    bound(conversation)
    sim.http.post("/_sim/switches", json={"dual_delivery": False})
    product.at_path.setdefault("/pre", []).append((500, "text/plain", ""))
    sim.text("dropped")
    product.at_path.setdefault("/pre", []).append((200, JSON, '{"body": "changed"}'))
    sim.text("said")
    assert [m.body for m in conversation.messages.list()] == ["changed"]


def test_a_chat_user_is_asked_for_and_may_be_refused(sim: Running, v1, product: Receiver) -> None:
    answer = sim.http.post("/_sim/chat", json={"identity": "ann", "body": "Hello"})
    assert answer.status_code == 201
    assert [h["EventType"] for h in product.at("/pre")] == ["onConversationAdd", "onParticipantAdd", "onMessageAdd"]
    assert {h["ClientIdentity"] for h in product.at("/pre")} == {"ann"}
    product.at_path.setdefault("/pre", []).append((403, "text/plain", ""))
    again = {"identity": "ann", "body": "Again", "conversation_sid": answer.json()["conversation_sid"]}
    assert sim.http.post("/_sim/chat", json=again).status_code == 403


def test_a_trigger_fires_on_its_words_alone(sim: Running, product: Receiver) -> None:
    conversation = sim.sdk.conversations.v1.conversations.create()
    bound(conversation)
    hook = conversation.webhooks.create(
        target="trigger", configuration_url=f"{product.base}/trigger", configuration_triggers=["help", "price?"]
    )
    assert hook.configuration["triggers"] == ["help", "price?"]
    for text in ("helpless", "Hello", "HELP me", "What's the price?"):
        sim.text(text)
    product.wait(10)
    assert [h["Body"] for h in product.at("/trigger")] == ["HELP me", "What's the price?"]


def test_a_new_hook_hears_of_what_was_said_before(sim: Running, product: Receiver) -> None:
    conversation = sim.sdk.conversations.v1.conversations.create()
    bound(conversation)
    conversation.messages.create(body="0")
    sim.text("1")
    conversation.messages.create(body="2")
    conversation.webhooks.create(
        target="webhook", configuration_url=f"{product.base}/replay", configuration_filters=["onMessageAdded"],
        configuration_replay_after=1,
    )  # fmt: skip
    eventually(lambda: len(product.at("/replay")) == 2)
    assert [(h["Body"], h["Source"]) for h in product.at("/replay")] == [("1", "SMS"), ("2", "API")]


@pytest.mark.parametrize("hears", [True, False])
def test_a_services_hook_may_miss_what_phones_say(sim: Running, product: Receiver, hears: bool) -> None:
    v1 = sim.sdk.conversations.v1
    service = v1.services(v1.configuration().fetch().default_chat_service_sid)
    service.configuration.webhooks().update(
        post_webhook_url=f"{product.base}/service", filters=["onMessageAdded", "onDeliveryUpdated"]
    )
    sim.http.post("/_sim/switches", json={"carrier_events_at_service": hears, "dual_delivery": False})
    conversation = v1.conversations.create()
    bound(conversation)
    sim.text("from a phone")
    conversation.messages.create(body="by REST", **ECHO)
    eventually(lambda: len(product.events("onDeliveryUpdated")) == 2)
    heard = [h["Body"] for h in product.events("onMessageAdded")]
    assert heard == (["from a phone", "by REST"] if hears else ["by REST"])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"target": "pigeon", "configuration_flow_sid": "FW" + "0" * 32}, 50364),
        ({"target": "webhook"}, 50369),
        ({"target": "webhook", "configuration_url": "http://e/x", "configuration_filters": ["onMessageAdd"]}, 50365),
        ({"target": "webhook", "configuration_url": "http://e/x", "configuration_method": "PUT"}, 50055),
        ({"target": "trigger", "configuration_url": "http://e/x"}, 50371),
        ({"target": "trigger", "configuration_url": "http://e/x", "configuration_triggers": list("abcdef")}, 50362),
    ],
)
def test_a_hook_that_cannot_be_is_refused(sim: Running, fields: dict[str, object], code: int) -> None:
    conversation = sim.sdk.conversations.v1.conversations.create()
    with pytest.raises(TwilioRestException) as caught:
        conversation.webhooks.create(**fields)
    assert (caught.value.status, caught.value.code) == (400, code)


def test_a_flow_of_studio_is_kept_and_shown(sim: Running) -> None:
    webhooks = sim.sdk.conversations.v1.conversations.create().webhooks
    flow = "FW" + "0" * 32
    made = webhooks.create(target="studio", configuration_flow_sid=flow)
    assert (made.target, made.configuration) == ("studio", {"flow_sid": flow})
    assert refused(lambda: webhooks.create(target="studio")) == (400, 50367)
