"""What goes wrong on purpose, goes wrong in just that way."""

import json
from pathlib import Path

import httpx
import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from tests.simulator.harness import OURS, THEIRS, Receiver, Running, eventually, simulator


def send(sim: Running) -> object:
    return sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x")


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (500, 20500), (503, 20503)])
def test_a_refused_send_takes_nothing(sim: Running, status: int, code: int) -> None:
    sim.arm("status", status=status, times=2)
    for _ in range(2):
        with pytest.raises(TwilioRestException) as caught:
            send(sim)
        assert (caught.value.status, caught.value.code) == (status, code)
    assert sim.messages() == []
    send(sim)
    assert len(sim.messages()) == 1


def test_retry_after_is_told(sim: Running) -> None:
    sim.arm("status", status=429, retry_after=2)
    account = sim.config.account_sid
    answer = sim.http.post(
        f"/2010-04-01/Accounts/{account}/Messages.json",
        data={"To": THEIRS, "From": OURS, "Body": "x"},
        auth=(account, sim.config.auth_token),
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")


def test_an_error_after_commit_leaves_the_message_sent(sim: Running) -> None:
    sim.arm("after_commit")
    with pytest.raises(TwilioRestException):
        send(sim)
    assert len(sim.messages()) == 1


def test_a_hanging_send_is_taken(sim: Running) -> None:
    sim.arm("hang", seconds=5)
    sim.sdk.http_client.timeout = 0.2
    with pytest.raises(requests.exceptions.ReadTimeout):
        send(sim)
    assert len(sim.messages()) == 1


def test_a_cut_connection_leaves_the_message_sent(sim: Running) -> None:
    sim.arm("reset")
    with pytest.raises(requests.exceptions.ConnectionError):
        send(sim)
    assert len(sim.messages()) == 1
    send(sim)


def test_a_conversation_message_is_spoilt_too(sim: Running) -> None:
    conversation = sim.sdk.conversations.v1.conversations.create()
    sim.arm("after_commit", status=503)
    with pytest.raises(TwilioRestException):
        conversation.messages.create(body="x", attributes='{"oid":"1"}')
    assert [m.attributes for m in conversation.messages.list()] == ['{"oid":"1"}']


def test_a_webhook_comes_twice_with_one_token(sim: Running, product: Receiver) -> None:
    sim.arm("webhook_duplicate", event="message")
    sim.text("x")
    one, two = product.wait(2)
    assert (one["MessageSid"], one.headers["i-twilio-idempotency-token"]) == (
        two["MessageSid"], two.headers["i-twilio-idempotency-token"],
    )  # fmt: skip


def test_a_webhook_is_lost_or_wrongly_signed(sim: Running, product: Receiver) -> None:
    sim.arm("webhook_drop")
    sim.text("lost")
    sim.arm("webhook_signature")
    sim.text("forged")
    sim.text("good")
    hooks = product.wait(2)
    assert [(h["Body"], h.genuine(sim.config.auth_token)) for h in hooks] == [("forged", False), ("good", True)]


def test_a_carrier_fails_with_a_code(sim: Running, product: Receiver) -> None:
    sim.arm("delivery", outcome="undelivered", code=30005)
    sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x", status_callback=f"{product.base}/s")
    hooks = product.wait(3)
    assert [h["MessageStatus"] for h in hooks] == ["sending", "sent", "undelivered"]
    assert hooks[-1]["ErrorCode"] == "30005"


def test_faults_are_listed_and_disarmed(sim: Running) -> None:
    sim.arm("reset", times=3)
    assert [f["kind"] for f in sim.http.get("/_sim/faults").json()["faults"]] == ["reset"]
    assert sim.http.delete("/_sim/faults").status_code == 204
    send(sim)


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("inbound", {"body": "x"}, "from"),
        ("inbound", {"from": "x", "body": "x"}, "from"),
        ("inbound", {"from": THEIRS}, "body"),
        ("inbound", {"from": THEIRS, "body": "x", "channel": "fax"}, "channel"),
        ("inbound", {"from": THEIRS, "media": "x"}, "media"),
        ("chat", {"body": "x"}, "identity"),
        ("read", {}, "phone"),
        ("faults", {"kind": "fire"}, "kind"),
        ("faults", {"kind": "webhook_drop", "event": "zzz"}, "event"),
        ("faults", {"kind": "webhook_drop", "route": "*"}, "route"),
        ("faults", {"kind": "status", "event": "message"}, "event"),
        ("faults", {"kind": "status", "seconds": 1}, "seconds"),
        ("faults", {"kind": "delivery", "status": 500}, "status"),
        ("faults", {"kind": "reset", "code": 30005}, "code"),
        ("inbound", {"from": THEIRS, "body": "x", "to": "+15550009999"}, "to"),
        ("inbound", {"from": OURS, "body": "x"}, "from"),
        ("inbound", {"from": THEIRS, "body": "x", "reply_to": "SM0"}, "reply_to"),
        ("inbound", {"from": THEIRS, "button": {"text": "Yes"}}, "button"),
        ("inbound", {"from": THEIRS, "location": {"latitude": 1, "longitude": 2}}, "location"),
        ("inbound", {"from": f"rcs:{THEIRS}", "body": "x", "referral": {"headline": "x"}}, "referral"),
    ],
)
def test_bad_control_input_names_the_field(sim: Running, path: str, body: dict[str, object], named: str) -> None:
    answer = sim.http.post(f"/_sim/{path}", json=body)
    assert (answer.status_code, answer.json()["field"]) == (400, named)


def test_events_are_told_live_and_from_where_a_listener_stopped(sim: Running) -> None:
    first = sim.text("one")
    last = sim.http.get("/_sim/messages").json()["last_id"]
    sim.text("two")
    with httpx.stream("GET", f"{sim.base}/_sim/events?after={last}", timeout=10, trust_env=False) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data:"))
        assert '"body":"two"' in next(line for line in lines if '"kind":"inbound"' in line)
        sim.text("three")
        assert '"body":"three"' in next(line for line in lines if '"kind":"inbound"' in line)
    transcript = sim.http.get("/_sim/transcript").text
    assert first["sid"] in transcript


def test_reset_forgets(sim: Running) -> None:
    send(sim)
    assert sim.http.post("/_sim/reset").status_code == 204
    assert sim.messages() == []
    eventually(lambda: sim.http.get("/_sim/health").json()["messages"] == 0)


def test_a_fault_waits_for_its_route(sim: Running) -> None:
    sim.arm("status", status=503, route="conversations.create")
    send(sim)
    with pytest.raises(TwilioRestException):
        sim.sdk.conversations.v1.conversations.create()
    assert sim.sdk.conversations.v1.conversations.create().sid


def test_any_route_can_fail(sim: Running) -> None:
    sim.arm("status", status=429, route="*", times=2)
    for call in (sim.sdk.messages("SM0").fetch, lambda: send(sim)):
        with pytest.raises(TwilioRestException) as caught:
            call()
        assert caught.value.status == 429
    send(sim)


def test_a_fault_waits_for_its_message(sim: Running) -> None:
    other = "+15557650002"
    sim.arm("after_commit", match={"to": other, "body": "HELLO"})
    send(sim)
    sim.sdk.messages.create(to=other, from_=OURS, body="Good bye")
    sim.sdk.messages.create(to=THEIRS, from_=OURS, body="Hello")
    with pytest.raises(TwilioRestException):
        sim.sdk.messages.create(to=other, from_=OURS, body="Oh, hello there")


def test_a_delivery_fault_waits_for_its_message(sim: Running) -> None:
    sim.arm("delivery", outcome="failed", code=30007, match={"body": "spam"})
    fine, filtered = (sim.sdk.messages.create(to=THEIRS, from_=OURS, body=body) for body in ("ham", "spam"))
    eventually(lambda: filtered.fetch().status == "failed")
    assert filtered.fetch().error_code == 30007
    eventually(lambda: fine.fetch().status == "delivered")


def test_a_carrier_that_never_confirms_leaves_the_message_sent(sim: Running, product: Receiver) -> None:
    sim.arm("delivery", outcome="sent")
    message = sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x", status_callback=f"{product.base}/s")
    eventually(lambda: message.fetch().status == "sent")
    sim.http.post("/_sim/clock", json={"advance": 3600})
    assert message.fetch().status == "sent"
    assert [h["MessageStatus"] for h in product.wait(2)] == ["sending", "sent"]


def test_a_rate_repeats_with_its_seed() -> None:
    def outcomes(**fields: object) -> list[bool]:
        with simulator() as sim:
            sim.arm("status", status=503, rate=0.5, **fields)
            return [_fails(sim) for _ in range(40)]

    one = outcomes(seed=3)
    assert one == outcomes(seed=3)
    assert one != outcomes(seed=4)
    assert 8 < sum(one) < 32
    assert sum(outcomes(seed=3, times=2)) == 2


def test_a_rate_goes_on_after_a_restart(tmp_path: Path) -> None:
    with simulator() as sim:
        sim.arm("status", status=503, rate=0.5, seed=3)
        expected = [_fails(sim) for _ in range(20)]
    seen = []
    for _ in range(2):
        with simulator(data=tmp_path / "data.jsonl") as sim:
            if not seen:
                sim.arm("status", status=503, rate=0.5, seed=3)
            seen += [_fails(sim) for _ in range(10)]
    assert seen == expected


def _fails(sim: Running) -> bool:
    try:
        send(sim)
    except TwilioRestException:
        return True
    return False


@pytest.mark.parametrize("kind", ["hang", "reset"])
def test_a_send_can_be_lost_before_it_is_taken(sim: Running, kind: str) -> None:
    sim.arm(kind, committed=False)
    with pytest.raises((TwilioRestException, requests.exceptions.ConnectionError)):
        send(sim)
    assert sim.messages() == []


def test_an_answer_can_trickle(sim: Running) -> None:
    sim.arm("slow", seconds=0.4)
    account = sim.config.account_sid
    with sim.http.stream(
        "POST",
        f"/2010-04-01/Accounts/{account}/Messages.json",
        data={"To": THEIRS, "From": OURS, "Body": "x"},
        auth=(account, sim.config.auth_token),
    ) as answer:
        drops = list(answer.iter_raw())
    assert answer.status_code == 201
    assert len(drops) > 5
    assert json.loads(b"".join(drops))["status"] == "queued"


def test_a_duplicate_can_look_like_another_webhook(sim: Running, product: Receiver) -> None:
    sim.arm("webhook_duplicate", same_token=False)
    sim.text("x")
    one, two = product.wait(2)
    assert one["MessageSid"] == two["MessageSid"]
    assert one.headers["i-twilio-idempotency-token"] != two.headers["i-twilio-idempotency-token"]


def test_a_status_can_be_overtaken(sim: Running, product: Receiver) -> None:
    sim.arm("webhook_reorder", event="status", seconds=3600)
    sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x", status_callback=f"{product.base}/s")
    assert [h["MessageStatus"] for h in product.wait(3)] == ["sent", "sending", "delivered"]


def test_what_nothing_overtakes_comes_late(sim: Running, product: Receiver) -> None:
    sim.arm("webhook_reorder", event="message", seconds=3600)
    sim.text("x")
    eventually(lambda: not sim.http.get("/_sim/faults").json()["faults"])
    assert product.hooks == []
    sim.http.post("/_sim/clock", json={"advance": 3600})
    assert product.wait(1)[0]["Body"] == "x"


def test_a_status_can_be_lost(sim: Running, product: Receiver) -> None:
    sim.arm("webhook_drop", event="status")
    sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x", status_callback=f"{product.base}/s")
    assert [h["MessageStatus"] for h in product.wait(2)] == ["sent", "delivered"]


def test_a_webhook_fault_waits_for_its_message(sim: Running, product: Receiver) -> None:
    sim.arm("webhook_drop", match={"from": THEIRS, "body": "lost"})
    sim.text("found")
    sim.text("lost", **{"from": "+15557650002"})
    sim.text("lost")
    assert {h["Body"] for h in product.wait(2)} == {"found", "lost"}
    eventually(lambda: not sim.http.get("/_sim/faults").json()["faults"])


def test_one_fault_is_disarmed_by_its_sid(sim: Running) -> None:
    sim.arm("reset")
    sim.arm("hang")
    first = sim.http.get("/_sim/faults").json()["faults"][0]
    assert sim.http.delete(f"/_sim/faults/{first['sid']}").status_code == 204
    assert [f["kind"] for f in sim.http.get("/_sim/faults").json()["faults"]] == ["hang"]
    assert sim.http.delete(f"/_sim/faults/{first['sid']}").status_code == 404


def test_a_question_that_is_lost_changes_nothing(sim: Running, product: Receiver) -> None:
    v1 = sim.sdk.conversations.v1
    v1.configuration.webhooks().update(pre_webhook_url=f"{product.base}/pre", filters=["onMessageAdd"])
    conversation = v1.conversations.create()
    sim.arm("webhook_drop", event="onMessageAdd")
    assert conversation.messages.create(body="x", x_twilio_webhook_enabled="true").body == "x"
    assert product.hooks == []
    assert [e["code"] for e in sim.http.get("/_sim/debugger").json()["entries"]] == [50076]
