"""What a phone can send beside words, and how it looks in the webhook."""

import json

import pytest

from tests.simulator.harness import OURS_WHATSAPP, THEIRS, Receiver, Running, eventually


def heard(sim: Running, product: Receiver, body: str = "", **fields: object) -> dict[str, str]:
    """The form of the number's webhook."""
    sid = sim.text(body, **fields)["sid"]
    hook = eventually(lambda: next((h for h in list(product.hooks) if h.form.get("MessageSid") == [sid]), None))
    assert hook.genuine(sim.config.auth_token)
    return {name: values[0] for name, values in hook.form.items()}


def test_a_tapped_button_is_told_with_its_payload(sim: Running, product: Receiver) -> None:
    form = heard(sim, product, channel="whatsapp", button={"text": "Yes, please", "payload": "yes-1"})
    assert (form["Body"], form["ButtonText"], form["ButtonPayload"], form["ButtonType"], form["MessageType"]) == (
        "Yes, please", "Yes, please", "yes-1", "REPLY", "button",
    )  # fmt: skip


def test_a_place_is_told(sim: Running, product: Receiver) -> None:
    place = {"latitude": 52.5, "longitude": 13.4, "label": "Home", "address": "Main Street 1"}
    form = heard(sim, product, channel="whatsapp", location=place)
    assert (form["Latitude"], form["Longitude"], form["Label"], form["Address"], form["Body"], form["MessageType"]) == (
        "52.5", "13.4", "Home", "Main Street 1", "", "location",
    )  # fmt: skip


def test_a_reply_names_its_original_for_seven_days(sim: Running, product: Receiver) -> None:
    original = sim.sdk.messages.create(to=f"whatsapp:{THEIRS}", from_=OURS_WHATSAPP, body="Tea or coffee?")
    form = heard(sim, product, "Tea", channel="whatsapp", reply_to=original.sid)
    assert (form["OriginalRepliedMessageSid"], form["OriginalRepliedMessageSender"]) == (original.sid, OURS_WHATSAPP)
    sim.http.post("/_sim/clock", json={"advance": "P8D"})
    assert "OriginalRepliedMessageSid" not in heard(sim, product, "Tea", channel="whatsapp", reply_to=original.sid)


def test_a_person_who_hides_the_number_has_an_external_id_everywhere(sim: Running, product: Receiver) -> None:
    form = heard(sim, product, "Hi", **{"from": None}, external_id="US.1a2B3c", profile_name="Ann")
    assert (form["From"], form["ExternalUserId"], form["ProfileName"]) == (
        "whatsapp:US.1a2B3c", "whatsapp:US.1a2B3c", "Ann",
    )  # fmt: skip
    assert "WaId" not in form
    assert json.loads(form["ChannelMetadata"])["data"]["context"]["ExternalUserId"] == "whatsapp:US.1a2B3c"
    known = heard(sim, product, "Hi", channel="whatsapp", external_id="US.1a2B3c")
    assert (known["From"], known["WaId"], known["ExternalUserId"]) == (
        f"whatsapp:{THEIRS}", THEIRS[1:], "whatsapp:US.1a2B3c",
    )  # fmt: skip


def test_several_media_have_their_types(sim: Running, product: Receiver) -> None:
    media = ["https://example.com/a.png", {"url": "https://example.com/b", "content_type": "audio/ogg"}]
    form = heard(sim, product, media=media)
    assert (form["NumMedia"], form["MediaContentType0"], form["MediaContentType1"]) == ("2", "image/png", "audio/ogg")


def test_an_advertisement_is_told(sim: Running, product: Receiver) -> None:
    form = heard(sim, product, "Hi", channel="whatsapp", referral={"headline": "Sale", "ctwa_clid": "abc"})
    assert (form["ReferralHeadline"], form["ReferralCtwaClid"], form["ReferralNumMedia"]) == ("Sale", "abc", "0")


@pytest.mark.parametrize(
    ("fields", "sender", "recipient"),
    [({"channel": "rcs"}, f"rcs:{THEIRS}", "rcs:simulator_agent"),
     ({"from": "messenger:4711", "channel": "messenger"}, "messenger:4711", "messenger:100000000000001")],
)  # fmt: skip
def test_other_channels_have_our_addresses_too(
    sim: Running, product: Receiver, fields: dict[str, str], sender: str, recipient: str
) -> None:
    form = heard(sim, product, "Hi", **fields)
    assert (form["From"], form["To"]) == (sender, recipient)
    message = sim.sdk.messages.create(to=sender, from_=recipient, body="Hello")
    assert message.status == "queued"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"button": {"payload": "x"}}, "button.text"),
        ({"button": "x"}, "button"),
        ({"location": {"latitude": 91, "longitude": 0}}, "location.latitude"),
        ({"location": {"latitude": 1}}, "location.longitude"),
        ({"media": ["nowhere"]}, "media"),
        ({"media": [{"content_type": "image/png"}]}, "media"),
        ({"media": ["https://example.com/a.png"] * 11}, "media"),
        ({"external_id": "US.1"}, "external_id"),
        ({"external_id": "1234", "channel": "whatsapp"}, "external_id"),
        ({"body": "x" * 33_000}, "body"),
        ({"weather": "fine"}, "weather"),
        ({"channel": "fax"}, "channel"),
        ({}, "body"),
    ],
)
def test_what_no_phone_can_send_names_its_field(sim: Running, fields: dict[str, object], named: str) -> None:
    answer = sim.http.post("/_sim/inbound", json={"from": THEIRS, **fields})
    assert (answer.status_code, answer.json()["field"]) == (400, named)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0c", "\r", "\n"])
def test_a_record_is_one_line_whatever_is_in_it(sim: Running, mark: str) -> None:
    sim.text(f"one{mark}two")
    rows = [json.loads(row) for row in sim.http.get("/_sim/transcript").text.splitlines()]
    assert rows[0]["body"] == f"one{mark}two"
    with sim.http.stream("GET", "/_sim/events?after=1") as stream:
        told = next(row for row in stream.iter_lines() if row.startswith("data: "))
    assert json.loads(told.removeprefix("data: "))["body"] == f"one{mark}two"
