"""Where Conversations events go: of the account, of a service, of one conversation.

https://www.twilio.com/docs/conversations/api/conversation-webhook-resource and its neighbours
"""

from typing import Any

from simulator import digits, events, weburl
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.records import Hook
from simulator.rest import conversations, paging
from simulator.rest.call import GONE, Call, Reply
from simulator.sids import looks_like

_TARGETS = ("webhook", "trigger", "studio")
_MAX_SCOPED = 5
_SCOPED_PAGE = 5
_MAX_TRIGGERS = 5
_METHODS = frozenset({"GET", "POST"})


def fetch_webhooks(call: Call) -> Reply:
    return Reply(body=_show_webhooks(call, _hook(call)))


def update_webhooks(call: Call) -> Reply:
    hook = _hook(call)
    fields: dict[str, Any] = call.given(url="PostWebhookUrl", pre_url="PreWebhookUrl", method="Method")
    if fields.get("method", "POST") not in _METHODS:
        raise TwilioError(50055, "Invalid webhook method")
    _check_urls(PostWebhookUrl=fields.get("url"), PreWebhookUrl=fields.get("pre_url"))
    if (filters := call.form.get("Filters")) is not None:
        fields["filters"] = _events([name for name in filters if name], {*events.POST_EVENTS, *events.PRE_EVENTS})
    hooks = call.world.store.hooks
    if hook.sid not in hooks.rows:
        hooks.add(hook)
    hooks.change(hook, updated=call.world.clock.now(), **fields)
    return Reply(body=_show_webhooks(call, hook))


def create_scoped(call: Call) -> Reply:
    conversation = conversations.find(call)
    target = call.text("Target")
    if target not in _TARGETS:
        raise TwilioError(50364, f"Invalid conversation webhook type: one of {', '.join(_TARGETS)} expected")
    url, flow = call.text("Configuration.Url") or "", call.text("Configuration.FlowSid")
    if target == "studio" and not looks_like("FW", flow or ""):
        raise TwilioError(50367, "Invalid conversation webhook flow SID")
    if target != "studio" and not url:
        raise TwilioError(50369, "Conversation webhook URL not provided")
    _check_urls(**{"Configuration.Url": url})
    store, now = call.world.store, call.world.clock.now()
    if len(store.hooks_of.of(conversation.sid)) >= _MAX_SCOPED:
        raise TwilioError(50361, "Too many conversation webhooks")
    hook = Hook(
        sid=call.world.sids.new("WH"),
        owner=conversation.sid,
        url=url,
        method=(call.text("Configuration.Method") or "POST").upper(),
        filters=_events(call.form.get("Configuration.Filters", []), set(events.POST_EVENTS)),
        target=target,
        triggers=_triggers(call) if target == "trigger" else [],
        flow_sid=flow if target == "studio" else None,
        replay_after=_replay_after(call),
        created=now,
        updated=now,
    )
    if hook.method not in _METHODS:
        raise TwilioError(50055, "Invalid webhook method")
    store.hooks.add(hook)
    if hook.replay_after is not None:
        call.world.emitter.replay(hook, conversation, hook.replay_after)
    return Reply(body=_show_scoped(call, hook), status=201)


def list_scoped(call: Call) -> Reply:
    rows = call.world.store.hooks_of.of(conversations.find(call).sid).values()
    return paging.v1(call, "webhooks", rows, lambda row: _show_scoped(call, row), size=_SCOPED_PAGE)


def fetch_scoped(call: Call) -> Reply:
    return Reply(body=_show_scoped(call, _scoped(call)))


def update_scoped(call: Call) -> Reply:
    hook = _scoped(call)
    fields: dict[str, Any] = call.given(url="Configuration.Url")
    _check_urls(**{"Configuration.Url": fields.get("url")})
    if hook.target == "studio" and (flow := call.text("Configuration.FlowSid")):
        fields["flow_sid"] = flow
    if (method := call.text("Configuration.Method")) is not None:
        fields["method"] = method.upper()
        if fields["method"] not in _METHODS:
            raise TwilioError(50055, "Invalid webhook method")
    if call.form.get("Configuration.Triggers") and hook.target == "trigger":
        fields["triggers"] = _triggers(call)
    if (filters := call.form.get("Configuration.Filters")) is not None:
        fields["filters"] = _events([name for name in filters if name], set(events.POST_EVENTS))
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


def _events(names: list[str], known: set[str]) -> list[str]:
    """Filters, which name events. Raises TwilioError."""
    if unknown := next((name for name in names if name not in known), None):
        raise TwilioError(50365, f"Invalid conversation webhook filter: {unknown}")
    return names


def _check_urls(**urls: str | None) -> None:
    """Name of the parameter -> its value; an empty one switches the webhook off. Raises TwilioError."""
    if wrong := next((name for name, url in urls.items() if url and not weburl.is_web(url)), None):
        raise TwilioError(20001, f"Invalid {wrong} parameter: an http or https URL expected")


def _triggers(call: Call) -> list[str]:
    words = [word for word in call.form.get("Configuration.Triggers", []) if word.strip()]
    if not words:
        raise TwilioError(50371, "Conversation webhook trigger not provided")
    if len(words) > _MAX_TRIGGERS:
        raise TwilioError(50362, "Too many conversation webhook triggers")
    return words


def _replay_after(call: Call) -> int | None:
    text = call.text("Configuration.ReplayAfter")
    if not text:
        return None
    if (index := digits.whole(text)) is None:
        raise TwilioError(20001, "Invalid Configuration.ReplayAfter parameter: a message index expected")
    return index


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
    configuration: dict[str, Any] = {"url": hook.url, "method": hook.method, "filters": hook.filters}
    if hook.target == "trigger":
        configuration = {"url": hook.url, "method": hook.method, "triggers": hook.triggers}
    if hook.target == "studio":
        configuration = {"flow_sid": hook.flow_sid}
    if hook.replay_after is not None:
        configuration["replay_after"] = hook.replay_after
    return {
        "sid": hook.sid,
        "account_sid": call.world.config.account_sid,
        **call.of_service,
        "conversation_sid": hook.owner,
        "target": hook.target,
        "url": f"{host}/v1{call.service_path}/Conversations/{hook.owner}/Webhooks/{hook.sid}",
        "configuration": configuration,
        "date_created": iso(hook.created),
        "date_updated": iso(hook.updated),
    }
