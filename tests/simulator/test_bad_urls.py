"""A URL that no request can be made to is refused when it is given; if that is too late, nothing waits behind it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from simulator import weburl
from tests.simulator.harness import OURS, THEIRS, Receiver, Running, eventually, refused, simulator

BAD = ("http://[::1", "http://127.0.0.1:99999/x", "http://a:b/", "http://exa mple/", "http:///x", "ftp://e.com/x", "x")


@pytest.mark.parametrize("url", [*BAD, "http://e.com:0/", "http://e.com/\r\nX: y", "", "http://user@/"])
def test_what_no_request_can_be_made_to_is_no_url(url: str) -> None:
    assert not weburl.is_web(url)


@pytest.mark.parametrize(
    "url",
    ["http://e.com", "HTTPS://e.com:443/x?y#z", "http://[::1]:80/", "http://u:p@ss@127.0.0.1:1/é", "http://é.example/"],
)
def test_what_a_request_can_be_made_to_is_a_url(url: str) -> None:
    assert weburl.is_web(url)


GIVEN: dict[str, tuple[Callable[[Running, str], Any], tuple[int, int]]] = {
    "StatusCallback": (
        lambda sim, url: sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x", status_callback=url),
        (400, 21609),
    ),
    "MediaUrl": (lambda sim, url: sim.sdk.messages.create(to=THEIRS, from_=OURS, media_url=[url]), (400, 21620)),
    "SmsUrl": (lambda sim, url: sim.sdk.incoming_phone_numbers.list()[0].update(sms_url=url), (400, 21402)),
    "StatusCallback of a number": (
        lambda sim, url: sim.sdk.incoming_phone_numbers.list()[0].update(status_callback=url),
        (400, 21502),
    ),
    "InboundRequestUrl": (
        lambda sim, url: sim.sdk.messaging.v1.services.create(friendly_name="x", inbound_request_url=url),
        (400, 20001),
    ),
    "PostWebhookUrl": (
        lambda sim, url: sim.sdk.conversations.v1.configuration.webhooks().update(post_webhook_url=url),
        (400, 20001),
    ),
    "PreWebhookUrl": (
        lambda sim, url: sim.sdk.conversations.v1.configuration.webhooks().update(pre_webhook_url=url),
        (400, 20001),
    ),
    "Configuration.Url": (
        lambda sim, url: sim.sdk.conversations.v1.conversations.create().webhooks.create(
            target="webhook", configuration_url=url, configuration_filters=["onMessageAdded"]
        ),
        (400, 20001),
    ),
    "AutoCreation.WebhookUrl": (
        lambda sim, url: sim.sdk.conversations.v1.address_configurations.create(
            type="sms", address=OURS, auto_creation_webhook_url=url
        ),
        (400, 20001),
    ),
}


@pytest.mark.parametrize("name", GIVEN)
def test_the_rest_refuses_what_is_no_url(sim: Running, name: str) -> None:
    give, error = GIVEN[name]
    for url in BAD:
        assert refused(lambda url=url: give(sim, url)) == error, url


@pytest.mark.parametrize(
    ("path", "field", "fields"),
    [
        ("numbers", "sms_url", {"address": OURS}),
        ("numbers", "sms_fallback_url", {"address": OURS}),
        ("webhooks", "url", {}),
    ],
)
def test_the_control_api_refuses_what_is_no_url(sim: Running, path: str, field: str, fields: dict[str, str]) -> None:
    for url in BAD:
        answer = sim.http.post(f"/_sim/{path}", json={**fields, field: url})
        assert (answer.status_code, answer.json()["field"]) == (400, field), url


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:99999/x.png"])
def test_a_phone_attaches_nothing_that_is_no_url(sim: Running, url: str) -> None:
    answer = sim.http.post("/_sim/inbound", json={"from": THEIRS, "media": [url]})
    assert (answer.status_code, answer.json()["field"]) == (400, "media")


def test_a_key_that_cannot_stand_in_a_header_is_refused(sim: Running) -> None:
    for name in ("webhooks_sharedkey_a\nX: y", "webhooks_sharedkey_é", "a,b"):
        key = {"id": name, "secret": "s"}
        answer = sim.http.post("/_sim/signing", json={"shared_key": key, "sign_with": "shared_key"})
        assert (answer.status_code, answer.json()["field"]) == (400, "shared_key")


@pytest.mark.parametrize("target", ["http://[::bad/", "http://127.0.0.1:99999/"])
def test_a_redirect_to_nowhere_is_given_up_and_the_next_text_is_told(
    sim: Running, product: Receiver, target: str
) -> None:
    fallback = f"{product.base}/fallback"
    sim.http.post("/_sim/numbers", json={"address": OURS, "sms_fallback_url": fallback}).raise_for_status()
    product.answers.append((302, "text/plain", target))
    sim.text("one")
    sim.text("two")
    eventually(lambda: [hook["Body"] for hook in product.hooks if hook.path != "/fallback"] == ["one", "two"])
    eventually(lambda: [hook["ErrorCode"] for hook in product.at("/fallback")] == ["11210"])
    assert [entry["code"] for entry in sim.http.get("/_sim/debugger").json()["entries"]] == [11210]


def test_a_name_that_no_resolver_can_be_asked_for_holds_up_nothing(sim: Running, product: Receiver) -> None:
    url = f"http://{'a' * 300}.example/#rc=0"
    sim.http.post("/_sim/numbers", json={"address": OURS, "sms_url": url}).raise_for_status()
    sim.text("one")
    eventually(lambda: [entry["code"] for entry in sim.http.get("/_sim/debugger").json()["entries"]] == [11210])
    sim.http.post("/_sim/numbers", json={"address": OURS, "sms_url": product.base}).raise_for_status()
    sim.text("two")
    assert product.wait(1)[0]["Body"] == "two"


def test_a_url_that_was_kept_before_it_would_be_refused_holds_up_nothing(product: Receiver, tmp_path: Path) -> None:
    """A journal of an earlier version may hold one."""
    data = tmp_path / "data.jsonl"
    with simulator(product.base, data=data) as sim:
        sim.http.post("/_sim/numbers", json={"address": OURS, "sms_url": "http://127.0.0.1:9/"}).raise_for_status()
    data.write_text(data.read_text().replace("http://127.0.0.1:9/", "http://127.0.0.1:99999/"))
    with simulator(product.base, data=data) as sim:
        sim.text("one")
        sim.http.post("/_sim/numbers", json={"address": OURS, "sms_url": f"{product.base}/x"}).raise_for_status()
        sim.text("two")
        assert product.wait(1)[0]["Body"] == "two"
        assert [entry["code"] for entry in sim.http.get("/_sim/debugger").json()["entries"]] == [11210]


def test_whatever_one_delivery_raises_the_next_one_goes_out(
    sim: Running, product: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, genuine = [], ClientSession.request

    def fragile(session: ClientSession, method: str, url: Any, **how: Any) -> Any:
        asked.append(url)
        if len(asked) == 1:
            raise KeyError("unheard of")
        return genuine(session, method, url, **how)

    monkeypatch.setattr(ClientSession, "request", fragile)
    sim.text("one")
    sim.text("two")
    assert product.wait(1)[0]["Body"] == "two"
    assert [entry["code"] for entry in sim.http.get("/_sim/debugger").json()["entries"]] == [11200]
    eventually(lambda: sim.http.get("/_sim/health").json()["webhooks_pending"] == 0)


def test_whatever_is_wrong_with_an_answer_the_next_one_goes_out(
    sim: Running, product: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("unheard of")

    monkeypatch.setattr("simulator.twiml.verbs", broken)
    product.answers.append((200, "text/xml", "<Response/>"))
    sim.text("one")
    sim.text("two")
    assert [hook["Body"] for hook in product.wait(2)] == ["one", "two"]
    eventually(lambda: [entry["code"] for entry in sim.http.get("/_sim/debugger").json()["entries"]] == [11200])
