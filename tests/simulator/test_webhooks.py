"""How Twilio's requests reach the product: signed in all its ways, tried again, redirected, given up."""

import base64
import hashlib
import json
import socket
from pathlib import Path

import pytest
from twilio.request_validator import RequestValidator, get_signature_algorithm

from simulator.config import SimulatorConfig
from simulator.overrides import Overrides
from tests.simulator.harness import OURS, THEIRS, Receiver, Running, eventually, receiver, simulator

PATH = "/webhooks/twilio/messages"


def probe(sim: Running, **fields: object) -> str:
    answer = sim.http.post("/_sim/webhooks", json=fields)
    assert answer.status_code == 202, answer.text
    return answer.json()["idempotency_token"]


def attempts(sim: Running, token: str) -> list[dict[str, object]]:
    return [a for a in sim.http.get("/_sim/webhooks").json()["attempts"] if a["idempotency_token"] == token]


def quiet(sim: Running) -> bool:
    return sim.http.get("/_sim/health").json()["webhooks_pending"] == 0


def test_a_json_body_is_signed_by_its_hash_in_the_url(sim: Running, product: Receiver) -> None:
    probe(sim, url=f"{product.base}/x?a=1", json={"Grüße": ["你好", 1]})
    (hook,) = product.wait(1)
    assert hook.headers["content-type"] == "application/json"
    assert hook.url.endswith(f"?a=1&bodySHA256={hashlib.sha256(hook.body.encode()).hexdigest()}")
    validator = RequestValidator(sim.config.auth_token)
    assert validator.validate(hook.url, hook.body, hook.headers["x-twilio-signature"])
    assert not validator.validate(hook.url, hook.body + " ", hook.headers["x-twilio-signature"])
    assert json.loads(hook.body) == {"Grüße": ["你好", 1]}


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("path", ["/x", "/x?a=%20b&c", "/x/?a=1#rc=2&rp=all"])
def test_blank_and_repeated_fields_are_signed(sim: Running, product: Receiver, method: str, path: str) -> None:
    probe(sim, url=product.base + path, method=method, form={"Body": "", "MediaUrl": ["b", "a", "a"], "To": "ü 👋"})
    (hook,) = product.wait(1)
    assert (hook.method, hook.form["MediaUrl"], hook["Body"], hook["To"]) == (method, ["b", "a", "a"], "", "ü 👋")
    assert hook.genuine(sim.config.auth_token)
    assert hook.headers["user-agent"] == "TwilioProxy/1.1"
    assert hook.headers["accept"] == "*/*"


@pytest.mark.parametrize("port", ["as_is", "explicit", "none"])
def test_a_port_is_signed_in_each_way_that_validators_accept(sim: Running, product: Receiver, port: str) -> None:
    sim.http.post("/_sim/signing", json={"port": port})
    sim.text("x")
    (hook,) = product.wait(1)
    assert hook.genuine(sim.config.auth_token)
    bare = hook.url.replace(f":{product.base.rpartition(':')[2]}", "")
    without = RequestValidator(sim.config.auth_token).compute_signature(bare, hook.form)
    assert (hook.headers["x-twilio-signature"] == without) is (port == "none")


def test_tokens_rotate_and_both_open_the_rest(product: Receiver) -> None:
    with simulator(product.base, secondary_auth_token="newer") as sim:
        sim.text("one")
        sim.http.post("/_sim/signing", json={"sign_with": "secondary"})
        sim.text("two")
        one, two = product.wait(2)
        assert [(h.genuine(sim.config.auth_token), h.genuine("newer")) for h in (one, two)] == [
            (True, False), (False, True),
        ]  # fmt: skip
        account = sim.config.account_sid
        for token, status in ((sim.config.auth_token, 200), ("newer", 200), ("older", 401)):
            path = f"/2010-04-01/Accounts/{account}/Messages.json"
            assert sim.http.get(path, auth=(account, token)).status_code == status
        sim.http.post("/_sim/signing", json={"sign_with": "primary", "secondary_auth_token": "newest"})
        assert sim.http.get(path, auth=(account, "newer")).status_code == 401


def test_a_shared_key_signs_with_sha256_and_says_so(sim: Running, product: Receiver) -> None:
    key = {"id": "webhooks_sharedkey_1", "secret": "s3cret"}
    sim.http.post("/_sim/signing", json={"shared_key": key, "sign_with": "shared_key"})
    sim.text("x")
    (hook,) = product.wait(1)
    settings = hook.headers["x-twilio-webhooks-signature-settings"]
    assert settings == "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    algorithm = get_signature_algorithm(settings)
    assert RequestValidator("s3cret").validate(hook.url, hook.form, hook.headers["x-twilio-signature"], algorithm)


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"sign_with": "chalk"}, "sign_with"), ({"sign_with": "secondary"}, "sign_with"), ({"port": 80}, "port"),
     ({"sign_with": "shared_key"}, "sign_with"), ({"shared_key": {"id": "x"}}, "shared_key"), ({"ink": "red"}, "ink"),
     ({"secondary_auth_token": 1}, "secondary_auth_token")],
)  # fmt: skip
def test_what_cannot_sign_is_named(sim: Running, fields: dict[str, object], field: str) -> None:
    answer = sim.http.post("/_sim/signing", json=fields)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert sim.http.get("/_sim/signing").json()["sign_with"] == "primary"


def test_a_retry_has_the_token_of_the_first_attempt(sim: Running, product: Receiver) -> None:
    product.answers += [(500, "text/plain", ""), (503, "text/plain", "")]
    sim.text("x")
    hooks = product.wait(3)
    assert len({hook.headers["i-twilio-idempotency-token"] for hook in hooks}) == 1
    eventually(lambda: quiet(sim))
    assert [a["attempt"] for a in attempts(sim, hooks[0].headers["i-twilio-idempotency-token"])] == [1, 2, 3]
    assert sim.http.get("/_sim/debugger").json()["entries"] == []


def test_a_conversations_retry_counts_itself_and_ignores_the_fragment(sim: Running, product: Receiver) -> None:
    sim.sdk.conversations.v1.configuration.webhooks().update(post_webhook_url=f"{product.base}/c#rc=0")
    product.answers.append((503, "text/plain", ""))
    sim.sdk.conversations.v1.conversations.create(x_twilio_webhook_enabled="true")
    one, two = product.wait(2)
    assert (one["RetryCount"], two["RetryCount"], one.path) == ("0", "1", "/c")
    assert one.genuine(sim.config.auth_token)
    assert two.genuine(sim.config.auth_token)


@pytest.mark.parametrize(
    ("fragment", "status", "seen"),
    [("", 404, 1), ("#rp=4xx&rc=2", 404, 3), ("#rp=4xx&rc=2", 500, 1), ("#rp=all&rc=1", 503, 2), ("#rc=0", 500, 1),
     ("#rc=9", 500, 6), ("#rc=many", 500, 6)],
)  # fmt: skip
def test_a_fragment_says_what_is_tried_again(
    sim: Running, product: Receiver, fragment: str, status: int, seen: int
) -> None:
    product.answers += [(status, "text/plain", "")] * 9
    token = probe(sim, url=f"{product.base}/x{fragment}", form={"Body": "x"})
    eventually(lambda: quiet(sim))
    assert [a["status"] for a in attempts(sim, token)] == [status] * seen
    assert sim.http.get("/_sim/debugger").json()["entries"][0]["code"] == 11200


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://e/x", (5, 15, 15)), ("http://e/x#ct=100&rt=200&tt=300", (0.1, 0.2, 0.3)),
     ("http://e/x#ct=1&rt=99999&tt=1", (0.1, 15, 0.1))],
)  # fmt: skip
def test_a_fragment_sets_time_limits_within_their_range(url: str, expected: tuple[float, float, float]) -> None:
    patience = Overrides(SimulatorConfig()).patience(url, conversations=False)
    assert (patience.connect, patience.read, patience.total) == expected
    fixed = Overrides(SimulatorConfig()).patience(url, conversations=True)
    assert (fixed.read, fixed.total) == (5, 5)


def test_a_receiver_that_is_too_slow_is_given_up(sim: Running, product: Receiver) -> None:
    product.slow = 5
    token = probe(sim, url=f"{product.base}/x#rt=100", form={"Body": "x"})
    eventually(lambda: quiet(sim))
    assert [a["error"] for a in attempts(sim, token)] == ["read timeout"]


def test_nobody_at_home_is_in_the_debugger(sim: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probing:
        port = probing.getsockname()[1]
    token = probe(sim, url=f"http://127.0.0.1:{port}/x#rc=1", form={})
    eventually(lambda: quiet(sim))
    assert [a["error"] for a in attempts(sim, token)] == ["connection refused"] * 2
    (entry,) = sim.http.get("/_sim/debugger").json()["entries"]
    assert (entry["code"], entry["url"]) == (11205, f"http://127.0.0.1:{port}/x")


def test_a_redirect_is_followed_with_get_and_signed_again(sim: Running, product: Receiver) -> None:
    product.answers.append((302, "text/plain", "/elsewhere?a=1"))
    probe(sim, url=f"{product.base}/x", form={"Body": "x"})
    first, second = product.wait(2)
    assert (first.method, second.method, second.path, second.body) == ("POST", "GET", "/elsewhere", "")
    assert second.genuine(sim.config.auth_token)
    assert first.headers["i-twilio-idempotency-token"] == second.headers["i-twilio-idempotency-token"]


def test_redirects_in_a_circle_are_given_up(sim: Running, product: Receiver) -> None:
    product.answers += [(301, "text/plain", "/x")] * 30
    probe(sim, url=f"{product.base}/x#rc=0", form={"Body": "x"})
    eventually(lambda: quiet(sim))
    assert [e["code"] for e in sim.http.get("/_sim/debugger").json()["entries"]] == [11215]


def test_what_waited_when_the_simulator_died_is_sent_after_a_restart(tmp_path: Path) -> None:
    data, path = tmp_path / "data.jsonl", "/webhooks/twilio/messages"
    with receiver() as product:
        product.answers += [(500, "text/plain", "")] * 2
        with simulator(product.base, data=data, webhook_backoff=600, webhook_backoff_max=3600) as sim:
            sim.text("first")
            sim.text("second")
            before = product.wait(2)
            eventually(lambda: all(len(attempts(sim, h.headers["i-twilio-idempotency-token"])) == 1 for h in before))
            assert sim.http.get("/_sim/webhooks").json()["pending"] == 2
            sim.http.post("/_sim/clock", json={"advance": 500})
        with simulator(product.base, data=data) as sim:
            assert sim.http.get("/_sim/webhooks").json()["pending"] == 2
            assert len(product.hooks) == 2
            sim.http.post("/_sim/clock", json={"advance": 101})
            after = product.wait(4)[2:]
            key = "i-twilio-idempotency-token"
            assert sorted(h.headers[key] for h in after) == sorted(h.headers[key] for h in before)
            assert {h["Body"] for h in after} == {"first", "second"}
            assert all(h.genuine(sim.config.auth_token) and h.path == path for h in after)
            eventually(lambda: all(m["heard"] for m in sim.messages()))


def test_a_product_that_has_moved_gets_what_waited(tmp_path: Path, product: Receiver) -> None:
    data = tmp_path / "data.jsonl"
    with receiver() as before:
        before.answers.append((500, "text/plain", ""))
        with simulator(before.base, data=data, webhook_backoff=600, webhook_backoff_max=3600) as sim:
            sim.text("x")
            (first,) = before.wait(1)
            eventually(lambda: attempts(sim, first.headers["i-twilio-idempotency-token"]))
    with simulator(product.base, data=data) as sim:
        sim.http.post("/_sim/clock", json={"advance": 600})
        (hook,) = product.wait(1)
        assert hook["Body"] == "x"
        assert hook.genuine(sim.config.auth_token)


def test_a_status_whose_receiver_was_down_comes_after_a_restart(tmp_path: Path, product: Receiver) -> None:
    data = tmp_path / "data.jsonl"
    with simulator(data=data) as sim:
        sim.http.post("/_sim/clock", json={"paused": True})
        sim.arm("webhook_delay", seconds=3600, event="status")
        sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x", status_callback=f"{product.base}/s")
        sim.http.post("/_sim/clock", json={"advance": 1})
    assert product.hooks == []
    with simulator(data=data) as sim:
        assert [h["MessageStatus"] for h in product.wait(3)] == ["sending", "sent", "delivered"]


def test_a_user_in_the_url_is_told_as_a_password_is(sim: Running, product: Receiver) -> None:
    host = product.base.removeprefix("http://")
    probe(sim, url=f"http://ann:s3cret@{host}/x", form={"Body": "x"})
    (hook,) = product.wait(1)
    assert hook.headers["authorization"] == "Basic " + base64.b64encode(b"ann:s3cret").decode()
    url = hook.url.replace("http://", "http://ann:s3cret@")
    signed = RequestValidator(sim.config.auth_token).compute_signature(url, hook.form)
    assert hook.headers["x-twilio-signature"] == signed
