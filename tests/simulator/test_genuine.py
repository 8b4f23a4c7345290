"""Every kind of request that the simulator makes is one that Twilio's own validator takes."""

from typing import Any

import pytest

from simulator.events import POST_EVENTS, PRE_EVENTS
from tests.simulator.harness import OURS, OURS_WHATSAPP, THEIRS, Hook, Receiver, Running, eventually, simulator

ECHO = {"x_twilio_webhook_enabled": "true"}
XML = "text/xml"
PATHS = {
    "/sms", "/moved", "/fallback", "/action", "/redirect", "/status", "/pre", "/post", "/trigger", "/json",
    "/webhooks/twilio/messages",
}  # fmt: skip


def everything(sim: Running, product: Receiver) -> None:
    """Lets each kind of webhook happen at least once."""
    sdk, v1, base = sim.sdk, sim.sdk.conversations.v1, product.base
    sim.http.post("/_sim/numbers", json={"address": OURS, "sms_url": f"{base}/sms?a=%20b#rc=1&rp=all",
                                         "sms_fallback_url": f"{base}/fallback"})  # fmt: skip
    action = "<Response><Message action='/action' statusCallback='/status'>x</Message></Response>"
    redirect = "<Response><Redirect>/redirect</Redirect></Response>"
    for answers in (
        [(500, XML, ""), (500, XML, "")],  # tried again, then to the fallback
        [(302, XML, "/moved")],
        [(200, XML, action)],
        [(200, XML, redirect)],
    ):
        product.at_path["/sms"] = answers
        sim.text("Grüße 👋", media=["https://example.com/a.png", "https://example.com/b.png"])
        eventually(lambda: quiet(sim))
    sim.text("Hi", channel="whatsapp", button={"text": "Yes", "payload": "y"}, external_id="US.1a", profile_name="Änn")
    sim.text("Hi", channel="rcs", location={"latitude": 1, "longitude": 2})
    for sender, person in ((OURS, THEIRS), (OURS_WHATSAPP, f"whatsapp:{THEIRS}")):
        sdk.messages.create(to=person, from_=sender, body="x", status_callback=f"{base}/status?oid=1")
    v1.configuration.webhooks().update(
        pre_webhook_url=f"{base}/pre",
        post_webhook_url=f"{base}/post",
        filters=[*PRE_EVENTS, *POST_EVENTS],
        method="GET",
    )
    conversation = v1.conversations.create(timers_inactive="PT1M", **ECHO)
    conversation.participants.create(
        messaging_binding_address="+15557650002", messaging_binding_proxy_address=OURS, **ECHO
    )
    conversation.webhooks.create(
        target="trigger", configuration_url=f"{base}/trigger", configuration_triggers=["hello"]
    )  # fmt: skip
    conversation.messages.create(body="Hello", **ECHO)
    sim.http.post("/_sim/chat", json={"identity": "ann", "body": "Hello"})
    sim.http.post("/_sim/webhooks", json={"url": f"{base}/json", "json": {"a": "ü"}})
    eventually(lambda: quiet(sim))
    sim.http.post("/_sim/clock", json={"advance": "PT2M"})
    eventually(lambda: product.events("onConversationStateUpdated"))
    eventually(lambda: quiet(sim) and {hook.path for hook in product.hooks} >= PATHS)


def quiet(sim: Running) -> bool:
    return sim.http.get("/_sim/health").json()["webhooks_pending"] == 0


@pytest.mark.parametrize(
    "signing",
    [
        {},
        {"port": "explicit"},
        {"port": "none"},
        {"sign_with": "secondary", "secondary_auth_token": "newer"},
        {"sign_with": "shared_key", "shared_key": {"id": "webhooks_sharedkey_1", "secret": "shared"}},
    ],
    ids=["primary", "port", "no-port", "secondary", "shared-key"],
)
def test_every_kind_of_webhook_passes_the_genuine_validator(product: Receiver, signing: dict[str, Any]) -> None:
    secret = {"secondary": "newer", "shared_key": "shared"}.get(signing.get("sign_with", ""), "simulator")
    with simulator(product.base) as sim:
        assert sim.http.post("/_sim/signing", json=signing).status_code == 200
        everything(sim, product)
    assert {hook.path for hook in product.hooks} == PATHS
    events = {hook["EventType"] for hook in product.hooks if "EventType" in hook.form}
    assert {"onConversationStateUpdated", "onDeliveryUpdated", "onMessageAdded", "onMessageAdd"} <= events
    assert [hook.path for hook in product.hooks if not hook.genuine(secret)] == []
    assert all(not hook.genuine("another") for hook in product.hooks)
    assert all(_token(hook) for hook in product.hooks)


def _token(hook: Hook) -> bool:
    return len(hook.headers["i-twilio-idempotency-token"]) == 36
