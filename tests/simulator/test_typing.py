"""Typing indicators, by the genuine SDK: a form in version 2, JSON in version 3."""

import json

import pytest
from twilio.rest.messaging.v3.typing_indicator import TypingIndicatorList

from tests.simulator.harness import OURS_WHATSAPP, THEIRS, Running, refused

ANN = f"whatsapp:{THEIRS}"


def v2(sim: Running, sid: str):
    return sim.sdk.messaging.v2.typing_indicator.create(channel="whatsapp", message_id=sid)


def v3(sim: Running, **fields: str):
    request = TypingIndicatorList.TypingIndicatorRequest(fields)
    return sim.sdk.messaging.v3.typing_indicator.create(request)


def typed(sim: Running) -> list[dict]:
    lines = sim.http.get("/_sim/transcript").text.splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == "typing"]


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_typing_shows_and_marks_read_up_to_its_message(sim: Running, version: str) -> None:
    sids = [sim.text(str(n), channel="whatsapp")["sid"] for n in range(3)]
    answer = v2(sim, sids[1]) if version == "v2" else v3(sim, channel="WHATSAPP", messageId=sids[1])
    assert answer.success is True
    (record,) = typed(sim)
    assert (record["phone"], record["number"], record["message_sid"]) == (ANN, OURS_WHATSAPP, sids[1])
    assert [m["read"] for m in sim.messages()] == [True, True, False]


def test_rcs_names_both_sides(sim: Running) -> None:
    assert v3(sim, channel="RCS", **{"from": "agent", "to": THEIRS}).success
    (record,) = typed(sim)
    assert (record["phone"], record["number"], record["message_sid"]) == (f"rcs:{THEIRS}", "rcs:agent", None)


def test_nothing_is_typed_at_nobody(sim: Running) -> None:
    by_sms, ours = sim.text("x")["sid"], "SM" + "0" * 32
    assert refused(lambda: v2(sim, by_sms)) == (404, 20404)
    assert refused(lambda: v2(sim, ours)) == (404, 20404)
    assert refused(lambda: v2(sim, "x")) == (400, 20001)
    assert refused(lambda: v3(sim, channel="SMS")) == (400, 20001)
    assert refused(lambda: v3(sim, channel="RCS", to=THEIRS)) == (400, 20001)
    assert refused(lambda: sim.sdk.messaging.v2.typing_indicator.create(channel="sms", message_id=ours)) == (400, 20001)
    assert typed(sim) == []
