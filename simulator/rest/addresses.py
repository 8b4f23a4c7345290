"""Which of our addresses open conversations by themselves.

https://www.twilio.com/docs/conversations/api/address-configuration-resource
"""

from typing import Any

from simulator import address, digits, weburl
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
    "AutoCreation.StudioFlowSid": "studio_flow_sid",
}
_TYPES = ("sms", "whatsapp", "rcs", "messenger", "gbm", "email", "apple", "chat")
_AUTO_TYPES = ("default", "webhook", "studio")
_MAX_STUDIO_RETRIES = 3


def create(call: Call) -> Reply:
    kind, value = call.text("Type"), call.text("Address")
    if kind not in _TYPES:
        raise TwilioError(20001, f"Type: one of {', '.join(_TYPES)} expected")
    if not value:
        raise TwilioError(20001, "Address: required")
    value = address.on_channel(kind, value)
    store, now = call.world.store, call.world.clock.now()
    if any(row.address == value for row in store.address_configs.rows.values()):
        raise TwilioError(50611, f"An address configuration for {value} already exists", 409)
    fields = call.given(friendly_name="FriendlyName", country="AddressCountry") | _auto_creation(call)
    setup = AddressConfig(sid=call.world.sids.new("IG"), address=value, type=kind, created=now, updated=now, **fields)
    store.address_configs.add(setup)
    return Reply(body=_show(call, setup), status=201)


def listing(call: Call) -> Reply:
    kind = call.asked("Type")
    rows = [row for row in call.world.store.address_configs.rows.values() if kind in {None, row.type}]
    return paging.v1(call, "address_configurations", rows, lambda row: _show(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=_show(call, _find(call)))


def update(call: Call) -> Reply:
    fields = call.given(friendly_name="FriendlyName") | _auto_creation(call)
    setup = call.world.store.address_configs.change(_find(call), updated=call.world.clock.now(), **fields)
    return Reply(body=_show(call, setup))


def delete(call: Call) -> Reply:
    call.world.store.address_configs.remove(_find(call).sid)
    return GONE


def _auto_creation(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = {field: value for name, field in _AUTO.items() if (value := call.text(name)) is not None}
    fields |= call.flags(enabled="AutoCreation.Enabled")
    if (method := call.text("AutoCreation.WebhookMethod")) is not None:
        fields["webhook_method"] = method.upper()
    if (filters := call.form.get("AutoCreation.WebhookFilters")) is not None:
        fields["webhook_filters"] = [name for name in filters if name]
    if (url := fields.get("webhook_url")) and not weburl.is_web(url):
        raise TwilioError(20001, "AutoCreation.WebhookUrl: a URL expected")
    if fields.get("auto_type", "default") not in _AUTO_TYPES:
        raise TwilioError(20001, f"AutoCreation.Type: one of {', '.join(_AUTO_TYPES)} expected")
    if (sid := fields.get("service")) and call.world.store.services.get(sid) is None:
        raise TwilioError(50050, "Service Instance not found", 404)
    if (retries := call.text("AutoCreation.StudioRetryCount")) is not None:
        count = digits.whole(retries)
        if count is None or count > _MAX_STUDIO_RETRIES:
            raise TwilioError(50065, f"Invalid webhook retry count: 0 to {_MAX_STUDIO_RETRIES} expected")
        fields["studio_retry_count"] = count
    return fields


def _find(call: Call) -> AddressConfig:
    """By sid or by the address itself."""
    rows, name = call.world.store.address_configs.rows, call.ids[0]
    setup = rows.get(name) or next((row for row in rows.values() if row.address == name), None)
    if setup is None:
        raise not_found(f"/Configuration/Addresses/{name}")
    return setup


def _show(call: Call, setup: AddressConfig) -> dict[str, Any]:
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
            "studio_flow_sid": setup.studio_flow_sid,
            "studio_retry_count": setup.studio_retry_count,
        },
        "address_country": setup.country,
        "date_created": iso(setup.created),
        "date_updated": iso(setup.updated),
        "url": f"{call.world.urls.conversations}/v1/Configuration/Addresses/{setup.sid}",
    }
