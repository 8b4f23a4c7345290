"""Which of our addresses open conversations by themselves.

https://www.twilio.com/docs/conversations/api/address-configuration-resource
"""

from typing import Any

from simulator import address
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.records import AddressConfig
from simulator.rest import paging
from simulator.rest.call import GONE, Call, Reply

# form field -> record field, for AutoCreation.*
_AUTO = {
    "AutoCreation.Type": "auto_type",
    "AutoCreation.ConversationServiceSid": "service",
    "AutoCreation.WebhookUrl": "webhook_url",
}


def create(call: Call) -> Reply:
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
    return Reply(body=_show_find(call, setup), status=201)


def listing(call: Call) -> Reply:
    kind = call.asked("Type")
    rows = [row for row in call.world.store.address_configs.rows.values() if kind in {None, row.type}]
    return paging.v1(call, "address_configurations", rows, lambda row: _show_find(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=_show_find(call, _find(call)))


def update(call: Call) -> Reply:
    fields = call.given(friendly_name="FriendlyName") | _auto_creation(call)
    setup = call.world.store.address_configs.change(_find(call), updated=call.world.clock.now(), **fields)
    return Reply(body=_show_find(call, setup))


def delete(call: Call) -> Reply:
    call.world.store.address_configs.remove(_find(call).sid)
    return GONE


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


def _find(call: Call) -> AddressConfig:
    """By sid or by the address itself."""
    rows, name = call.world.store.address_configs.rows, call.ids[0]
    setup = rows.get(name) or next((row for row in rows.values() if row.address == name), None)
    if setup is None:
        raise not_found(f"/Configuration/Addresses/{name}")
    return setup


def _show_find(call: Call, setup: AddressConfig) -> dict[str, Any]:
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
