"""Where Conversations events go: of the account, of a service, of one conversation.

https://www.twilio.com/docs/conversations/api/conversation-webhook-resource and its neighbours
"""

from typing import Any

from simulator import events
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.records import Hook
from simulator.rest import conversations, paging
from simulator.rest.call import GONE, Call, Reply

_MAX_SCOPED = 5
_SCOPED_PAGE = 5


def fetch_webhooks(call: Call) -> Reply:
    return Reply(body=_show_webhooks(call, _hook(call)))


def update_webhooks(call: Call) -> Reply:
    hook = _hook(call)
    fields: dict[str, Any] = call.given(url="PostWebhookUrl", pre_url="PreWebhookUrl", method="Method")
    if fields.get("method", "POST") not in {"GET", "POST"}:
        raise TwilioError(50055, "Invalid webhook method")
    if fields.get("pre_url"):
        raise TwilioError(50054, "PreWebhookUrl: pre-action webhooks are not simulated yet")
    if (filters := call.form.get("Filters")) is not None:
        fields["filters"] = [name for name in filters if name]
    hooks = call.world.store.hooks
    if hook.sid not in hooks.rows:
        hooks.add(hook)
    hooks.change(hook, updated=call.world.clock.now(), **fields)
    return Reply(body=_show_webhooks(call, hook))


def create_scoped(call: Call) -> Reply:
    conversation = conversations.find(call)
    if call.text("Target") != "webhook":
        raise TwilioError(50364, "Target: only webhook is simulated")
    if call.form.get("Configuration.Triggers") or call.text("Configuration.ReplayAfter"):
        raise TwilioError(50366, "Configuration.Triggers and Configuration.ReplayAfter are not simulated yet")
    url = call.text("Configuration.Url")
    if not url:
        raise TwilioError(50369, "Conversation webhook URL not provided")
    store, now = call.world.store, call.world.clock.now()
    if len(store.hooks_of.of(conversation.sid)) >= _MAX_SCOPED:
        raise TwilioError(50361, "Too many conversation webhooks")
    hook = Hook(
        sid=call.world.sids.new("WH"),
        owner=conversation.sid,
        url=url,
        method=(call.text("Configuration.Method") or "POST").upper(),
        filters=list(call.form.get("Configuration.Filters", [])),
        created=now,
        updated=now,
    )
    store.hooks.add(hook)
    return Reply(body=_show_scoped(call, hook), status=201)


def list_scoped(call: Call) -> Reply:
    rows = call.world.store.hooks_of.of(conversations.find(call).sid).values()
    return paging.v1(call, "webhooks", rows, lambda row: _show_scoped(call, row), size=_SCOPED_PAGE)


def fetch_scoped(call: Call) -> Reply:
    return Reply(body=_show_scoped(call, _scoped(call)))


def update_scoped(call: Call) -> Reply:
    hook = _scoped(call)
    fields: dict[str, Any] = call.given(url="Configuration.Url")
    if (method := call.text("Configuration.Method")) is not None:
        fields["method"] = method.upper()
    if (filters := call.form.get("Configuration.Filters")) is not None:
        fields["filters"] = [name for name in filters if name]
    call.world.store.hooks.change(hook, updated=call.world.clock.now(), **fields)
    return Reply(body=_show_scoped(call, hook))


def delete_scoped(call: Call) -> Reply:
    call.world.store.hooks.remove(_scoped(call).sid)
    return GONE


def _hook(call: Call) -> Hook:
    """The one webhook record of the account, or of the service that the path names."""
    owner = call.service if call.service_path else events.GLOBAL
    hook = next(iter(call.world.store.hooks_of.of(owner).values()), None)
    now = call.world.clock.now()
    return hook or Hook(sid=call.world.sids.new("WH"), owner=owner, url="", created=now, updated=now)


def _scoped(call: Call) -> Hook:
    hook = call.world.store.hooks_of.of(conversations.find(call).sid).get(call.ids[1])
    if hook is None:
        raise not_found(f"/Conversations/{call.ids[0]}/Webhooks/{call.ids[1]}")
    return hook


def _show_webhooks(call: Call, hook: Hook) -> dict[str, Any]:
    body = {
        "account_sid": call.world.config.account_sid,
        "pre_webhook_url": hook.pre_url or None,
        "post_webhook_url": hook.url or None,
        "method": hook.method,
        "filters": hook.filters,
        "url": f"{call.world.urls.conversations}/v1{call.service_path}/Configuration/Webhooks",
    }
    return body | (call.of_service or {"target": "webhook"})


def _show_scoped(call: Call, hook: Hook) -> dict[str, Any]:
    host = call.world.urls.conversations
    return {
        "sid": hook.sid,
        "account_sid": call.world.config.account_sid,
        **call.of_service,
        "conversation_sid": hook.owner,
        "target": "webhook",
        "url": f"{host}/v1{call.service_path}/Conversations/{hook.owner}/Webhooks/{hook.sid}",
        "configuration": {"url": hook.url, "method": hook.method, "filters": hook.filters},
        "date_created": iso(hook.created),
        "date_updated": iso(hook.updated),
    }
