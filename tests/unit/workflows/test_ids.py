"""Ids of our own: stable for ever, the same for one person, and no number in any of them."""

from __future__ import annotations

import itertools

import pytest

from messaging.model import Address, Channel
from workflows import ids

KEY = b"golden-key"
PHONE = "+15550001111"
OURS = "+15550002222"
SID = "CH" + "0123456789abcdef" * 2


def _conversation(sid: str, *, provider: str = "twilio", channel: str = "sms", key: bytes = KEY) -> str:
    return ids.conversation_id(key, provider=provider, conversation_sid=sid, channel=channel)


@pytest.mark.parametrize(
    ("made", "golden"),
    [
        (ids.contact_id(KEY, Address.parse(PHONE)), "contact-yoysd2odpfyhvawviaugjuas"),
        (_conversation(f"{PHONE}|{OURS}"), "twilio-sms-oaahjueubzmaz462tdzjporj"),
        (_conversation(SID), f"twilio-{SID}"),
        (ids.send_key("c", "e"), "532f96f32adb94f6e226542842972986"),
        (ids.send_key("c", "e", 1), "c3873103b7ff5634b15459b678ef71dc"),
    ],
    ids=["contact", "conversation of a pair", "conversation of a sid", "first part", "second part"],
)
def test_an_id_made_once_is_made_the_same_for_ever(made: str, golden: str) -> None:
    assert made == golden


@pytest.mark.parametrize("channel", ["whatsapp:", "rcs:", "WhatsApp: "])
def test_one_number_is_one_contact_on_every_channel(channel: str) -> None:
    sms = ids.contact_id(KEY, Address.parse(PHONE))
    assert ids.contact_id(KEY, Address.parse(channel + PHONE)) == sms


def test_a_number_says_who_it_is_even_where_the_provider_has_an_id_too() -> None:
    with_both = Address.parse(f"whatsapp:{PHONE}", external_id="US.1234")
    assert ids.contact_id(KEY, with_both) == ids.contact_id(KEY, Address.parse(PHONE))


PEOPLE = (
    Address.parse(PHONE),
    Address.parse("+15550001112"),
    Address.parse("whatsapp:", external_id="US.13491208655302741918"),
    Address.parse("whatsapp:", external_id="US.13491208655302741919"),
    Address.parse("messenger:100001"),
    Address.parse("100001", default=Channel.CHAT),
    Address.parse("ana", default=Channel.CHAT),
)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PEOPLE, 2)))
def test_different_people_are_different_contacts(one: Address, other: Address) -> None:
    assert ids.contact_id(KEY, one) != ids.contact_id(KEY, other)


def test_a_person_without_a_number_stays_the_same_when_the_handle_changes() -> None:
    before = Address(channel=Channel.WHATSAPP, value="ana", external_id="US.1234")
    after = Address(channel=Channel.WHATSAPP, value="ana.b", external_id="US.1234")
    assert ids.contact_id(KEY, before) == ids.contact_id(KEY, after)


@pytest.mark.parametrize(
    "sid", [f"{PHONE}|{OURS}", f"whatsapp:{PHONE}|whatsapp:{OURS}", PHONE, "chat-with-15550001111"]
)
def test_no_id_holds_a_number(sid: str) -> None:
    made = [_conversation(sid), ids.contact_id(KEY, Address.parse(PHONE)), ids.send_key(_conversation(sid), PHONE)]
    digits = PHONE[1:]
    assert not [one for one in made if digits in one or digits[-7:] in one]


def test_without_the_key_nobody_makes_the_same_ids() -> None:
    assert ids.contact_id(b"other", Address.parse(PHONE)) != ids.contact_id(KEY, Address.parse(PHONE))
    assert _conversation(f"{PHONE}|{OURS}", key=b"other") != _conversation(f"{PHONE}|{OURS}")


def test_conversations_of_other_providers_channels_and_pairs_are_others() -> None:
    pair = f"{PHONE}|{OURS}"
    made = {
        _conversation(pair),
        _conversation(pair, channel="whatsapp"),
        _conversation(pair, provider="other"),
        _conversation(f"{OURS}|{PHONE}"),
        _conversation(SID),
        _conversation(SID, provider="other"),
    }
    assert len(made) == 6


def test_each_part_of_each_answer_has_a_key_of_its_own() -> None:
    keys = [ids.send_key(c, e, part) for c in ("a", "b") for e in ("a", "b", "a1") for part in (0, 1, 11)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("sid", "opaque"),
    [
        (SID, True),
        ("SM" + "f" * 32, True),
        (f"{PHONE}|{OURS}", False),
        ("CH" + "F" * 32, False),
        ("CH" + "f" * 31, False),
        ("12" + "f" * 32, False),
        ("", False),
    ],
)
def test_only_a_generated_sid_is_opaque(sid: str, opaque: bool) -> None:
    assert ids.is_opaque(sid) is opaque
