"""The parts that need no server: signatures, segments, addresses, TwiML, journal."""

from pathlib import Path

import pytest
from twilio.request_validator import RequestValidator

from simulator import address, segments, twiml
from simulator.config import SimulatorConfig
from simulator.errors import ControlError
from simulator.faults import Fault, Faults
from simulator.journal import Journal
from simulator.sids import Sids
from simulator.signature import sign
from simulator.store import Store
from simulator.table import Table

CALL = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+12349013030"),
    ("Digits", "1234"),
    ("From", "+12349013030"),
    ("To", "+18005551212"),
]
MYAPP = "https://mycompany.com/myapp.php?foo=1&bar=2"
HASHED = f"{MYAPP}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


@pytest.mark.parametrize(
    ("url", "params", "signature"),
    [
        (MYAPP, CALL, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        (MYAPP.replace(".com", ".com:443"), CALL, "EpDEmp1PyjDYp77YxYU3GILBWzE="),
        (HASHED, [], "a9nBmqA0ju/hNViExpshrM61xv4="),
        ("https://e.com/x", [("MediaUrl", "b"), ("MediaUrl", "a"), ("MediaUrl", "a"), ("To", "x")],
         "yA4RO32gqDGguYi7E4F9bVFVkio="),
        ("https://e.com/x", [("Body", ""), ("From", "+1")], "fTrvOW+ZY+sjufCKH6XKm1cesbU="),
    ],
    ids=["form", "port", "body-hash", "repeated", "blank"],
)  # fmt: skip
def test_a_signature_is_twilios(url: str, params: list[tuple[str, str]], signature: str) -> None:
    assert sign("12345", url, params) == signature


def test_the_genuine_validator_accepts_text_of_any_script() -> None:
    params = [("Body", "Grüße, 你好 👋\n"), ("From", "+1")]
    assert RequestValidator("t").validate("http://127.0.0.1:8000/x?a=%20b", dict(params),
                                          sign("t", "http://127.0.0.1:8000/x?a=%20b", params))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 153, 3),  # the escape pair does not fit into the first part any more
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("👋" * 35, 1),
        ("👋" * 66, 2),
        ("👋" * 67, 3),  # 33 pairs to a part of 67 units
    ],
)
def test_segments_are_counted_as_on_the_air(text: str, parts: int) -> None:
    assert segments.count(text) == parts


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("+1 (555) 765-4321", "+15557654321"),
        ("whatsapp:+1 555 765 4321", "whatsapp:+15557654321"),
        ("15557654321", "+15557654321"),
        ("whatsapp:US.1a2b3c", "whatsapp:US.1a2b3c"),
        ("12345", "12345"),
    ],
)
def test_an_address_is_read_as_people_write_it(typed: str, meant: str) -> None:
    assert address.normal(typed) == meant
    assert address.valid(meant)


@pytest.mark.parametrize("wrong", ["", "+", "hello", "+0123", "whatsapp:", "fax:+15557654321"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    assert not address.valid(wrong)


def test_twiml_gives_its_messages() -> None:
    xml = b"<Response><Message to='+2'><Body>one</Body><Media>http://x/y.png</Media></Message><Message>two</Message></Response>"
    one, two = twiml.verbs(xml, "text/xml; charset=utf-8")
    assert (one.body, one.media, one.to) == ("one", ("http://x/y.png",), "+2")
    assert (two.body, two.to) == ("two", "")


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [(b"<Response>", "text/xml", 12100), (b"<a/>", "text/xml", 12100), (b"{}", "application/json", 12300),
     (b"x" * 70_000, "text/xml", 11750), (b"<!DOCTYPE a><Response/>", "text/xml", 12100)],
)  # fmt: skip
def test_an_answer_that_is_no_twiml_has_twilios_code(content: bytes, kind: str, code: int) -> None:
    with pytest.raises(twiml.TwimlError) as caught:
        twiml.verbs(content, kind)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"account_sid": "AC1"}, "account_sid"), ({"phone_number": "12"}, "phone_number"),
     ({"auth_token": ""}, "auth_token"),
     ({"webhook_base": "nowhere"}, "webhook_base"),
     ({"webhook_retry_policy": frozenset({"x"})}, "webhook_retry_policy")],
)  # fmt: skip
def test_a_wrong_setting_is_named(fields: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        SimulatorConfig(**fields)


@pytest.mark.parametrize(
    ("fields", "named"),
    [({}, "kind"), ({"kind": "status", "status": 200}, "status"), ({"kind": "hang", "times": 0}, "times"),
     ({"kind": "hang", "minutes": 1}, "minutes"), ({"kind": "after_commit", "status": 429}, "status"),
     ({"kind": "hang", "seconds": -1}, "seconds"), ({"kind": "hang", "seconds": "1"}, "seconds"),
     ({"kind": "hang", "rate": 2}, "rate"), ({"kind": "hang", "rate": 0}, "rate"),
     ({"kind": "hang", "route": "messages.shred"}, "route"),
     ({"kind": "hang", "match": {"colour": "red"}}, "match.colour"),
     ({"kind": "hang", "match": "x"}, "match"), ({"kind": "hang", "times": 1.5}, "times"),
     ({"kind": "delivery", "outcome": "lost"}, "outcome"), ({"kind": "delivery", "code": 1}, "code"),
     ({"kind": "hang", "committed": "no"}, "committed"), ({"kind": "hang", "seed": "x"}, "seed")],
)  # fmt: skip
def test_a_wrong_fault_is_named(fields: dict[str, object], named: str) -> None:
    with pytest.raises(ControlError) as caught:
        Faults(Table("faults", Fault, Journal(None)), Sids()).arm(fields, {"messages.create"})
    assert caught.value.field == named


def test_a_torn_last_line_of_the_journal_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('["put","services","IS1",{"sid":"IS1","friendly_name":"a","created":0,"updated":0}]\n["put","serv')
    store = Store(SimulatorConfig(data=path))
    store.close()
    assert list(store.services.rows) == ["IS1"]
    assert path.read_text().count("\n") == 1
