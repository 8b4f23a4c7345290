"""Senders have a rate and a queue; what waits too long expires."""

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.simulator.harness import OURS, THEIRS, Receiver, Running, eventually, simulator

DEFAULT = "MG" + "0" * 32


@pytest.fixture
def slow(product: Receiver):
    with simulator(product.base, throughput={"sms": 1}) as sim:
        sim.http.post("/_sim/clock", json={"paused": True})
        yield sim


def send(sim: Running, **fields: object):
    return sim.sdk.messages.create(**{"to": THEIRS, "from_": OURS, "body": "x"} | fields)


def advance(sim: Running, seconds: float) -> None:
    sim.http.post("/_sim/clock", json={"advance": seconds})


def test_a_sender_sends_at_its_rate(slow: Running) -> None:
    messages = [send(slow) for _ in range(5)]
    advance(slow, 2.5)
    assert [m.fetch().status for m in messages] == ["delivered"] * 3 + ["queued"] * 2
    advance(slow, 2)
    assert [m.fetch().status for m in messages] == ["delivered"] * 5


def test_segments_count_and_other_senders_do_not_wait(slow: Running) -> None:
    send(slow, body="x" * 400)  # three parts
    behind = send(slow)
    other = send(slow, from_="whatsapp:+15550100001", to=f"whatsapp:{THEIRS}")
    advance(slow, 2.5)
    assert (behind.fetch().status, other.fetch().status) == ("queued", "failed")  # outside the window, but sent
    advance(slow, 1)
    assert behind.fetch().status == "delivered"


def test_a_queue_of_more_than_four_hours_takes_no_more(slow: Running) -> None:
    slow.http.post("/_sim/numbers", json={"address": OURS, "messages_per_second": 0.001})
    for _ in range(15):
        send(slow)
    with pytest.raises(TwilioRestException) as caught:
        send(slow)
    assert (caught.value.status, caught.value.code) == (400, 21611)
    lost = send(slow, from_=None, messaging_service_sid=DEFAULT)
    advance(slow, 1)
    assert (lost.fetch().status, lost.fetch().error_code) == ("failed", 30001)
    advance(slow, 3600)
    assert send(slow).status == "queued"


def test_a_queue_goes_on_after_a_restart(tmp_path) -> None:
    data = tmp_path / "data.jsonl"
    with simulator(data=data, throughput={"sms": 0.01}) as sim:
        sim.http.post("/_sim/clock", json={"paused": True})
        sids = [send(sim).sid for _ in range(3)]
        advance(sim, 1)
    with simulator(data=data, throughput={"sms": 0.01}) as sim:
        advance(sim, 101)
        assert [sim.sdk.messages(sid).fetch().status for sid in sids] == ["delivered", "delivered", "queued"]


def test_what_waits_longer_than_its_validity_expires(slow: Running, product: Receiver) -> None:
    for _ in range(10):
        send(slow)
    late = send(slow, validity_period=5, status_callback=f"{product.base}/s")
    in_time = send(slow, validity_period=50)
    advance(slow, 5)
    assert (late.fetch().status, late.fetch().error_code) == ("failed", 30036)
    assert [h["ErrorCode"] for h in eventually(lambda: product.at("/s"))] == ["30036"]
    advance(slow, 8)
    assert in_time.fetch().status == "delivered"


@pytest.mark.parametrize("period", [0, 36_001])
def test_a_validity_that_cannot_be_is_refused(slow: Running, period: int) -> None:
    with pytest.raises(TwilioRestException) as caught:
        send(slow, validity_period=period)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"messages_per_second": 0}, "messages_per_second"), ({"messages_per_second": "1"}, "messages_per_second"),
     ({"sms_fallback_url": "x"}, "sms_fallback_url"), ({"sms_method": "PUT"}, "sms_method"),
     ({"colour": "red"}, "colour")],
)  # fmt: skip
def test_what_a_number_cannot_be_is_named(slow: Running, fields: dict[str, object], named: str) -> None:
    answer = slow.http.post("/_sim/numbers", json={"address": OURS, **fields})
    assert (answer.status_code, answer.json()["field"]) == (400, named)


def test_a_wrong_switch_is_named(slow: Running) -> None:
    for fields, named in (({"light": True}, "light"), ({"opt_out": "no"}, "opt_out")):
        answer = slow.http.post("/_sim/switches", json=fields)
        assert (answer.status_code, answer.json()["field"]) == (400, named)
    assert slow.http.get("/_sim/switches").json()["opt_out"] is True
