"""Where Conversations events go and which addresses open conversations by themselves; services.

https://www.twilio.com/docs/conversations/api/conversation-webhook-resource and its neighbours
"""

from typing import Any

from simulator import address, events
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.records import AddressConfig, Hook, Service
from simulator.rest import conversations, paging
from simulator.rest.call import GONE, Call, Reply

_MAX_SCOPED = 5
_SCOPED_PAGE = 5
# form field -> record field, for AutoCreation.*
_AUTO = {
    "AutoCreation.Type": "auto_type",
    "AutoCreation.ConversationServiceSid": "service",
    "AutoCreation.WebhookUrl": "webhook_url",
}


def fetch(call: Call) -> Reply:
    return Reply(
        body={
            "account_sid": call.world.config.account_sid,
            "default_chat_service_sid": call.world.talks.default_service,
            "default_messaging_service_sid": call.world.talks.default_messaging_service,
            "default_inactive_timer": None,
            "default_closed_timer": None,
            "url": f"{call.world.urls.conversations}/v1/Configuration",
            "links": {
                "service": f"{call.world.urls.conversations}/v1/Services/{call.world.talks.default_service}",
                "webhooks": f"{call.world.urls.conversations}/v1/Configuration/Webhooks",
            },
        }
    )


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


def delete_scoped(call: Call) -> Reply:
    call.world.store.hooks.remove(_scoped(call).sid)
    return GONE


def create_address(call: Call) -> Reply:
    kind, value = call.text("Type"), call.text("Address")
    if kind not in {"sms", "whatsapp", "rcs", "messenger"}:
        raise TwilioError(20001, "Type: one of sms, whatsapp, rcs, messenger expected")
    if not value:
        raise TwilioError(20001, "Address: required")
    value = address.on_channel(kind, value)
    store, now = call.world.store, call.world.clock.now()
    if any(row.address == value for row in store.address_configs.rows.values()):
        raise TwilioError(50611, f"An address configuration for {value} already exists", 409)
    fields = call.given(friendly_name="FriendlyName") | _auto_creation(call)
    setup = AddressConfig(sid=call.world.sids.new("IG"), address=value, type=kind, created=now, updated=now, **fields)
    store.address_configs.add(setup)
    return Reply(body=_show_address(call, setup), status=201)


def list_addresses(call: Call) -> Reply:
    kind = call.asked("Type")
    rows = [row for row in call.world.store.address_configs.rows.values() if kind in {None, row.type}]
    return paging.v1(call, "address_configurations", rows, lambda row: _show_address(call, row))


def fetch_address(call: Call) -> Reply:
    return Reply(body=_show_address(call, _address(call)))


def update_address(call: Call) -> Reply:
    fields = call.given(friendly_name="FriendlyName") | _auto_creation(call)
    setup = call.world.store.address_configs.change(_address(call), updated=call.world.clock.now(), **fields)
    return Reply(body=_show_address(call, setup))


def delete_address(call: Call) -> Reply:
    call.world.store.address_configs.remove(_address(call).sid)
    return GONE


def create_service(call: Call) -> Reply:
    name, now = call.text("FriendlyName"), call.world.clock.now()
    if not name:
        raise TwilioError(50000, "FriendlyName not provided")
    service = Service(sid=call.world.sids.new("IS"), friendly_name=name, created=now, updated=now)
    call.world.store.services.add(service)
    return Reply(body=_show_service(call, service), status=201)


def list_services(call: Call) -> Reply:
    rows = [_default_service(call), *call.world.store.services.rows.values()]
    return paging.v1(call, "services", rows, lambda row: _show_service(call, row))


def fetch_service(call: Call) -> Reply:
    return Reply(body=_show_service(call, _service(call)))


def delete_service(call: Call) -> Reply:
    call.world.store.services.remove(_service(call).sid)
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


def _auto_creation(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = {field: value for name, field in _AUTO.items() if (value := call.text(name)) is not None}
    if (enabled := call.text("AutoCreation.Enabled")) is not None:
        fields["enabled"] = enabled.lower() == "true"
    if (method := call.text("AutoCreation.WebhookMethod")) is not None:
        fields["webhook_method"] = method.upper()
    if (filters := call.form.get("AutoCreation.WebhookFilters")) is not None:
        fields["webhook_filters"] = list(filters)
    if fields.get("auto_type", "default") not in {"default", "webhook"}:
        raise TwilioError(20001, "AutoCreation.Type: only webhook and default are simulated")
    return fields


def _address(call: Call) -> AddressConfig:
    """By sid or by the address itself."""
    rows, name = call.world.store.address_configs.rows, call.ids[0]
    setup = rows.get(name) or next((row for row in rows.values() if row.address == name), None)
    if setup is None:
        raise not_found(f"/Configuration/Addresses/{name}")
    return setup


def _service(call: Call) -> Service:
    default = _default_service(call)
    service = default if call.ids[0] == default.sid else call.world.store.services.get(call.ids[0])
    if service is None:
        raise not_found(f"/Services/{call.ids[0]}")
    return service


def _default_service(call: Call) -> Service:
    sid = call.world.talks.default_service
    return Service(sid=sid, friendly_name="Default Conversations Service", created=0, updated=0)


def _show_webhooks(call: Call, hook: Hook) -> dict[str, Any]:
    body = {
        "account_sid": call.world.config.account_sid,
        "pre_webhook_url": hook.pre_url or None,
        "post_webhook_url": hook.url or None,
        "method": hook.method,
        "filters": hook.filters,
        "url": f"{call.world.urls.conversations}/v1{call.service_path}/Configuration/Webhooks",
    }
    return body | ({"chat_service_sid": call.service} if call.service_path else {"target": "webhook"})


def _show_scoped(call: Call, hook: Hook) -> dict[str, Any]:
    host = call.world.urls.conversations
    return {
        "sid": hook.sid,
        "account_sid": call.world.config.account_sid,
        "conversation_sid": hook.owner,
        "target": "webhook",
        "url": f"{host}/v1{call.service_path}/Conversations/{hook.owner}/Webhooks/{hook.sid}",
        "configuration": {"url": hook.url, "method": hook.method, "filters": hook.filters},
        "date_created": iso(hook.created),
        "date_updated": iso(hook.updated),
    }


def _show_address(call: Call, setup: AddressConfig) -> dict[str, Any]:
    return {
        "sid": setup.sid,
        "account_sid": call.world.config.account_sid,
        "type": setup.type,
        "address": setup.address,
        "friendly_name": setup.friendly_name,
        "auto_creation": {
            "enabled": setup.enabled,
            "type": setup.auto_type,
            "conversation_service_sid": setup.service,
            "webhook_url": setup.webhook_url,
            "webhook_method": setup.webhook_method,
            "webhook_filters": setup.webhook_filters,
            "studio_flow_sid": None,
            "studio_retry_count": None,
        },
        "address_country": None,
        "date_created": iso(setup.created),
        "date_updated": iso(setup.updated),
        "url": f"{call.world.urls.conversations}/v1/Configuration/Addresses/{setup.sid}",
    }


def _show_service(call: Call, service: Service) -> dict[str, Any]:
    url = f"{call.world.urls.conversations}/v1/Services/{service.sid}"
    names = ("conversations", "users", "roles", "bindings", "configuration", "participant_conversations")
    return {
        "sid": service.sid,
        "account_sid": call.world.config.account_sid,
        "friendly_name": service.friendly_name,
        "date_created": iso(service.created),
        "date_updated": iso(service.updated),
        "url": url,
        "links": {name: f"{url}/{''.join(word.capitalize() for word in name.split('_'))}" for name in names},
    }
