"""STOP, START and HELP, as Twilio heeds them itself."""

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.simulator.harness import OURS, OURS_WHATSAPP, THEIRS, Receiver, Running, eventually, simulator

STOPS = ["STOP", "stop", " Stop ", "STOPALL", "unsubscribe", "Cancel", "END", "quit", "REVOKE", "optout"]
DEFAULT = "MG" + "0" * 32


def send(sim: Running, **fields: str):
    return sim.sdk.messages.create(**{"to": THEIRS, "from_": OURS, "body": "x"} | fields)


def refused(sim: Running, **fields: str) -> bool:
    try:
        send(sim, **fields)
    except TwilioRestException as problem:
        return (problem.status, problem.code) == (400, 21610)
    return False


def answers(sim: Running, phone: str = THEIRS) -> list[str]:
    return [m["body"] for m in sim.messages(phone) if m["direction"] == "outbound-reply"]


def kinds(product: Receiver) -> list[str | None]:
    return [h.form.get("OptOutType", [None])[0] for h in product.at("/webhooks/twilio/messages")]


@pytest.mark.parametrize("word", STOPS)
def test_each_word_for_stop_is_heard(sim: Running, product: Receiver, word: str) -> None:
    sim.text(word)
    assert refused(sim)
    assert len(answers(sim)) == 1
    product.wait(1)
    assert kinds(product) == [None]  # only Advanced Opt-Out says so


@pytest.mark.parametrize("word", ["START", "yes", "Unstop"])
def test_each_word_for_start_ends_it(sim: Running, word: str) -> None:
    sim.text("STOP")
    sim.text(word)
    assert not refused(sim)
    assert len(answers(sim)) == 2


@pytest.mark.parametrize("text", ["YES", "START", "Please stop", "stop.", "STOP STOP", ""])
def test_what_only_looks_like_a_keyword_changes_nothing(sim: Running, text: str) -> None:
    sim.text(text, media=["https://example.com/a.png"])
    assert not refused(sim)
    assert answers(sim) == []


def test_help_is_answered_unless_the_person_left(sim: Running) -> None:
    sim.text("help")
    sim.text("STOP")
    sim.text("INFO")
    sim.text("STOP")
    assert len(answers(sim)) == 2


def test_the_answer_to_stop_still_arrives(sim: Running) -> None:
    sim.text("STOP")
    eventually(lambda: sim.messages()[-1]["status"] == "delivered")


def test_stop_concerns_one_number_and_no_other_channel(sim: Running) -> None:
    other = sim.sdk.incoming_phone_numbers.create(phone_number="+15550100077").phone_number
    sim.text("STOP")
    assert refused(sim)
    assert not refused(sim, from_=other)
    assert not refused(sim, to="+15557650002")
    sim.text("STOP", channel="whatsapp")
    assert not refused(sim, to=f"whatsapp:{THEIRS}", from_=OURS_WHATSAPP)


def test_the_refusal_can_come_later(product: Receiver) -> None:
    with simulator(product.base, opt_out_async=True) as sim:
        sim.text("STOP")
        message = send(sim, status_callback=f"{product.base}/s")
        assert message.status == "queued"
        eventually(lambda: message.fetch().status == "failed")
        assert message.fetch().error_code == 21610
        assert (
            eventually(lambda: [h for h in product.at("/s") if h["MessageStatus"] == "failed"])[0]["ErrorCode"]
            == "21610"
        )
        assert sim.http.post("/_sim/switches", json={"opt_out_async": False}).json()["opt_out_async"] is False
        assert refused(sim)


def test_a_pool_finds_out_when_it_has_chosen_the_sender(sim: Running) -> None:
    sim.text("STOP")
    message = send(sim, from_=None, messaging_service_sid=DEFAULT)
    assert message.status == "accepted"
    eventually(lambda: message.fetch().status == "failed")
    assert message.fetch().error_code == 21610


def test_a_conversations_copy_does_not_reach_who_left(sim: Running) -> None:
    conversation = sim.sdk.conversations.v1.conversations.create()
    conversation.participants.create(messaging_binding_address=THEIRS, messaging_binding_proxy_address=OURS)
    sim.text("STOP")
    message = conversation.messages.create(body="x")
    receipts = eventually(message.delivery_receipts.list)
    assert [(r.status, r.error_code) for r in receipts] == [("failed", 21610)]


def test_opt_out_can_be_switched_off(product: Receiver) -> None:
    with simulator(product.base, opt_out=False) as sim:
        sim.text("STOP")
        assert not refused(sim)
        assert answers(sim) == []


def advance(sim: Running, **fields: object) -> dict[str, object]:
    answer = sim.http.post("/_sim/opt-out", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_advanced_tells_the_webhook_and_has_its_own_texts(sim: Running, product: Receiver) -> None:
    advance(sim, texts={"STOP": "Bye", "START": "Welcome back", "HELP": "Call us"})
    for word in ("stop", "help", "START", "Help", "yes", "fine"):
        sim.text(word)
    product.wait(6)
    assert kinds(product) == ["STOP", "HELP", "START", "HELP", None, None]
    assert answers(sim) == ["Bye", "Welcome back", "Call us"]
    assert all(hook.genuine(sim.config.auth_token) for hook in product.hooks)


def test_advanced_concerns_the_whole_service_on_each_channel(sim: Running) -> None:
    other = sim.sdk.incoming_phone_numbers.create(phone_number="+15550100077").phone_number
    advance(sim)
    sim.text("STOP")
    assert refused(sim)
    assert refused(sim, from_=other)
    assert refused(sim, from_=None, messaging_service_sid=DEFAULT)
    sim.text("stop", channel="whatsapp")
    assert refused(sim, to=f"whatsapp:{THEIRS}", from_=OURS_WHATSAPP)
    sim.text("unstop", channel="whatsapp")
    assert not refused(sim, to=f"whatsapp:{THEIRS}", from_=OURS_WHATSAPP)
    assert refused(sim)


def test_advanced_belongs_to_its_service(sim: Running) -> None:
    service = sim.sdk.messaging.v1.services.create(friendly_name="Other")
    number = sim.sdk.incoming_phone_numbers.create(phone_number="+15550100077")
    service.phone_numbers.create(phone_number_sid=number.sid)
    advance(sim, messaging_service_sid=service.sid)
    sim.text("STOP", to=number.phone_number)
    assert refused(sim, from_=number.phone_number)
    assert refused(sim, from_=None, messaging_service_sid=service.sid)
    assert not refused(sim)
    assert advance(sim, messaging_service_sid=service.sid, advanced=False)["advanced"] == {}
    assert not refused(sim, from_=number.phone_number)


def test_advanced_words_change_but_the_basic_ones_stay(sim: Running) -> None:
    shown = advance(sim, keywords={"STOP": ["Halt"]})
    assert shown["advanced"][DEFAULT]["keywords"]["STOP"] == ["HALT", "STOP"]
    sim.text("Quit")
    assert not refused(sim)
    sim.text("halt")
    assert refused(sim)
    assert sim.http.get("/_sim/opt-out").json()["opted_out"] == [{"from": DEFAULT, "person": THEIRS}]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"texts": {"STOP": ""}}, "texts.STOP"),
        ({"texts": {"BYE": "x"}}, "texts"),
        ({"texts": "x"}, "texts"),
        ({"keywords": {"STOP": "x"}}, "keywords.STOP"),
        ({"keywords": {"STOP": [1]}}, "keywords.STOP"),
        ({"advanced": "yes"}, "advanced"),
        ({"words": []}, "words"),
        ({"messaging_service_sid": "MG1"}, "messaging_service_sid"),
    ],
)
def test_wrong_rules_name_their_field(sim: Running, fields: dict[str, object], named: str) -> None:
    answer = sim.http.post("/_sim/opt-out", json=fields)
    assert (answer.status_code, answer.json()["field"]) == (400, named)
