"""Group MMS and conversations made with their participants, by the genuine SDK."""

import json

import pytest

from tests.simulator.harness import FAST, OURS, THEIRS, Receiver, Running, eventually, refused, simulator

BEA, CID = "+15557650002", "+15557650003"


def phone(address: str) -> str:
    return json.dumps({"messaging_binding": {"address": address}})


def bound(address: str) -> str:
    return json.dumps({"messaging_binding": {"address": address, "proxy_address": OURS}})


def ours(address: str = OURS, **fields: str) -> str:
    return json.dumps({"messaging_binding": {"projected_address": address}, **fields})


@pytest.fixture
def v1(sim: Running):
    return sim.sdk.conversations.v1


def grouped(v1, *participants: str):
    return v1.conversation_with_participants.create(
        participant=list(participants) or [ours(), phone(THEIRS), phone(BEA)]
    )


def test_a_conversation_comes_with_its_participants(sim: Running, v1) -> None:
    made = v1.conversation_with_participants.create_with_http_info(
        friendly_name="Ann", participant=[bound(THEIRS), json.dumps({"identity": "agent"})]
    )
    assert (made.status_code, made.data.state, made.data.friendly_name) == (201, "active", "Ann")
    there = v1.conversations(made.data.sid).participants.list()
    assert [(row.identity, row.messaging_binding) for row in there] == [
        (None, {"type": "sms", "address": THEIRS, "proxy_address": OURS}), ("agent", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("participants", "status", "code"),
    [
        (["{"], 400, 20001),
        (["[]"], 400, 20001),
        (["{}"], 400, 50411),
        ([bound(THEIRS), bound(THEIRS)], 409, 50433),
        ([json.dumps({"identity": str(n)}) for n in range(11)], 400, 50417),
        ([phone(THEIRS), phone(BEA)], 400, 50434),
        ([ours("+15551119999"), phone(THEIRS)], 400, 50439),
        ([json.dumps({"messaging_binding": {"address": THEIRS, "projected_address": OURS}})], 400, 50407),
        ([ours(), phone("nobody")], 400, 50407),
        ([ours(), phone(THEIRS), phone(THEIRS)], 409, 50433),
    ],
)
def test_what_cannot_be_together_is_refused_and_nothing_is_made(v1, participants, status, code) -> None:
    assert refused(lambda: grouped(v1, *participants)) == (status, code)
    assert v1.conversations.list() == []


def test_a_group_is_initializing_until_it_is_set_up(product: Receiver) -> None:
    with simulator(product.base, group_setup=60, delays=FAST) as sim:
        v1 = sim.sdk.conversations.v1
        made = v1.conversation_with_participants.create_with_http_info(
            participant=[ours(identity="agent"), phone(THEIRS), phone(BEA)]
        )
        conversation = v1.conversations(made.data.sid)
        assert (made.status_code, made.data.state) == (202, "initializing")
        assert refused(lambda: conversation.messages.create(body="x")) == (409, 50391)
        sim.http.post("/_sim/clock", json={"advance": 60})
        assert conversation.fetch().state == "active"
        (event,) = eventually(lambda: product.events("onConversationStateUpdated"))
        assert (event["StateFrom"], event["StateTo"]) == ("initializing", "active")


def test_what_is_said_in_a_group_is_one_mms_to_all(sim: Running, v1, product: Receiver) -> None:
    conversation = v1.conversations(grouped(v1, ours(identity="agent"), phone(THEIRS), phone(BEA)).sid)
    eventually(lambda: conversation.fetch().state == "active")
    conversation.messages.create(author="agent", body="Hi all")
    got = [(m["body"], m["number"], m["sid"][:2]) for who in (THEIRS, BEA) for m in sim.messages(who)]
    assert got == [("Hi all", OURS, "MM")] * 2
    answered = sim.text("Hi")
    assert answered["conversation_sid"] == conversation.fetch().sid
    assert [m["body"] for m in sim.messages(BEA)] == ["Hi all"]  # Bea's phone is in the same group
    binding = conversation.participants.list()[0].messaging_binding
    assert binding == {"type": "sms", "projected_address": OURS}


def test_no_two_open_groups_have_the_same_members(v1) -> None:
    first = grouped(v1)
    assert refused(lambda: grouped(v1)) == (409, 50438)
    other = v1.conversations(grouped(v1, ours(), phone(THEIRS)).sid)
    assert refused(lambda: other.participants.create(messaging_binding_address=BEA)) == (409, 50437)
    assert other.participants.create(messaging_binding_address=CID).messaging_binding == {"type": "sms", "address": CID}
    eventually(lambda: v1.conversations(first.sid).fetch().state == "active")
    v1.conversations(first.sid).update(state="closed")
    assert grouped(v1).sid


def test_a_group_is_built_one_by_one(v1) -> None:
    participants = v1.conversations.create().participants
    assert refused(lambda: participants.create(messaging_binding_address=THEIRS)) == (400, 50412)
    mine = participants.create(messaging_binding_projected_address=OURS, identity="agent")
    assert mine.messaging_binding == {"type": "sms", "projected_address": OURS}
    for n in range(9):
        participants.create(messaging_binding_address=f"+1555765100{n}")
    assert refused(lambda: participants.create(messaging_binding_address=THEIRS)) == (400, 50436)
    assert refused(lambda: participants.create(messaging_binding_projected_address="+15551119999")) == (400, 50439)


def test_a_text_to_a_group_opens_it_and_the_next_one_finds_it(sim: Running, v1, product: Receiver) -> None:
    v1.address_configurations.create(type="sms", address=OURS, auto_creation_enabled=True)
    first = sim.text("Hi all", others=[BEA, CID])
    assert first["sid"].startswith("MM")
    (hook,) = eventually(lambda: product.at("/webhooks/twilio/messages"))
    assert (hook["OtherRecipients0"], hook["OtherRecipients1"], hook["NumMedia"]) == (BEA, CID, "0")
    conversation = v1.conversations(first["conversation_sid"])
    eventually(lambda: conversation.fetch().state == "active")
    (event,) = product.events("onConversationAdded")
    assert (event["State"], event["MessagingBinding.ProjectedAddress"]) == ("initializing", OURS)
    assert event["MessagingBinding.AuthorAddress"] == THEIRS
    bindings = [row.messaging_binding for row in conversation.participants.list()]
    assert bindings == [
        {"type": "sms", "projected_address": OURS}, *({"type": "sms", "address": who} for who in (THEIRS, BEA, CID)),
    ]  # fmt: skip
    sim.text("Me too", **{"from": BEA}, others=[THEIRS, CID])
    assert [row.author for row in conversation.messages.list()] == [THEIRS, BEA]
    assert sim.text("Just us", others=[BEA])["conversation_sid"] != conversation.fetch().sid
    conversation.messages.create(body="Hello group")
    assert {who: sim.messages(who)[-1]["body"] for who in (THEIRS, BEA, CID)} == dict.fromkeys(
        (THEIRS, BEA, CID), "Hello group"
    )


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"others": [THEIRS]}, "others"), ({"others": ["nobody"]}, "others"), ({"others": [BEA, BEA]}, "others"),
     ({"others": [BEA], "channel": "whatsapp"}, "others"), ({"others": [BEA] * 9}, "others")],
)  # fmt: skip
def test_a_group_that_cannot_be_is_refused(sim: Running, fields: dict[str, object], named: str) -> None:
    answer = sim.http.post("/_sim/inbound", json={"from": THEIRS, "body": "x", **fields})
    assert (answer.status_code, answer.json()["field"]) == (400, named)
