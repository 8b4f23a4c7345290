"""JSON that is too deep, numbers that are too long, a mistake of the simulator: the answer is JSON, no traceback."""

from typing import Any

import pytest

from simulator import digits, jsontext
from simulator.arrivals import Arrivals
from simulator.texting import Texting
from tests.simulator.harness import OURS, THEIRS, Running, simulator

DEEP = ("[" * 5000, "[" * 5000 + "]" * 5000, '{"a":' * 1500 + "1" + "}" * 1500, '{"a":' * 200 + "1" + "}" * 200)
LONG = "9" * 6000
MESSAGES = "/2010-04-01/Accounts/AC*/Messages.json"
JSON = {"Content-Type": "application/json"}


def test_numbers_have_18_digits_at_most() -> None:
    assert [digits.whole(text) for text in ("0", "007", "9" * 18)] == [0, 7, 10**18 - 1]
    assert [digits.whole(text) for text in ("", "-1", "1_0", "²", "١", " 1", "9" * 19, LONG)] == [None] * 8


def test_json_has_100_levels_at_most() -> None:
    assert jsontext.parse('{"a": [{}, [1]]}') == {"a": [{}, [1]]}
    assert jsontext.parse("[" * 100 + "]" * 100)
    for text in (*DEEP, "[" * 101 + "]" * 101, "x", b"\xff"):
        with pytest.raises(ValueError, match=r"too deep|Expecting|decode"):
            jsontext.parse(text)


def rest(sim: Running, method: str, path: str, **how: Any) -> tuple[int, int]:
    account = sim.config.account_sid
    answer = sim.http.request(method, path.replace("AC*", account), auth=(account, sim.config.auth_token), **how)
    return answer.status_code, answer.json()["code"]


def test_the_rest_refuses_json_that_is_too_deep(sim: Running) -> None:
    talk = sim.sdk.conversations.v1.conversations.create().sid
    for text in DEEP:
        for path, form in (
            ("/v1/Conversations", {"Attributes": text}),
            (f"/v1/Conversations/{talk}", {"Attributes": text}),
        ):
            assert rest(sim, "POST", path, data=form) == (400, 50304)
        assert rest(sim, "POST", "/v1/ConversationWithParticipants", data={"Participant": text}) == (400, 20001)
        for path in ("/v1/Content", "/v3/Indicators/Typing.json"):
            assert rest(sim, "POST", path, content=text, headers=JSON) == (400, 20001)


def test_the_rest_refuses_numbers_that_are_too_long(sim: Running) -> None:
    talk = sim.sdk.conversations.v1.conversations.create()
    member = talk.participants.create(identity="ann").sid
    for path in (MESSAGES, "/v1/Conversations", "/messaging/v1/Services", "/v1/Content"):
        for name in ("PageSize", "Page"):
            assert rest(sim, "GET", path, params={name: LONG}) == (400, 20001)
    at = f"/v1/Conversations/{talk.sid}"
    read, hook = {"LastReadMessageIndex": LONG}, {"Target": "webhook", "Configuration.Url": "http://127.0.0.1:9/"}
    for path, form, code in (
        (f"{at}/Participants/{member}", read, 50421),
        (f"/v1/Users/ann/Conversations/{talk.sid}", read, 50421),
        (f"{at}/Webhooks", {**hook, "Configuration.ReplayAfter": LONG}, 20001),
        (
            "/v1/Configuration/Addresses",
            {"Type": "sms", "Address": "+15550100000", "AutoCreation.StudioRetryCount": LONG},
            50065,
        ),
        ("/messaging/v1/Services", {"FriendlyName": "x", "ValidityPeriod": LONG}, 20001),
    ):
        assert rest(sim, "POST", path, data=form) == (400, code), path


def test_the_control_api_refuses_what_is_too_much(sim: Running) -> None:
    for name in ("inbound", "clock", "faults", "numbers", "signing", "switches", "opt-out", "webhooks", "chat", "read"):
        for text in (*DEEP, f'{{"advance": {LONG}}}'):
            answer = sim.http.post(f"/_sim/{name}", content=text)
            assert (answer.status_code, answer.json()["field"]) == (400, "body of the request"), name
    for path, field in (("messages?limit=", "limit"), ("transcript?after=", "after"), ("events?after=", "after")):
        answer = sim.http.get(f"/_sim/{path}{LONG}")
        assert (answer.status_code, answer.json()["field"]) == (400, field)
    sid = sim.text("x", media=["http://127.0.0.1:9/x"])["sid"]
    for n in (LONG, "x", "-1", "7"):
        assert sim.http.get(f"/_sim/messages/{sid}/media/{n}").status_code == 404
    assert sim.http.post("/_sim/clock", json={"advance": f"P{LONG}D"}).status_code == 400


def test_a_mistake_of_the_simulator_is_told_as_json_and_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with simulator() as sim:

        def broken(*_: object, **__: object) -> None:
            raise KeyError("unheard of")

        monkeypatch.setattr(Texting, "send", broken)
        monkeypatch.setattr(Arrivals, "receive", broken)
        account, form = sim.config.account_sid, {"To": THEIRS, "From": OURS, "Body": "x"}
        assert rest(sim, "POST", MESSAGES, data=form) == (500, 20500)
        path = MESSAGES.replace("AC*", account).removesuffix(".json")
        xml = sim.http.post(path, data=form, auth=(account, sim.config.auth_token))
        assert (xml.status_code, xml.headers["content-type"]) == (500, "application/xml")
        answer = sim.http.post("/_sim/inbound", json={"from": THEIRS, "body": "x"})
        assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json")
        assert set(answer.json()) == {"error"}
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 3
    assert THEIRS not in caplog.text
