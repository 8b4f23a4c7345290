"""Conversations services, their configuration and notifications. https://www.twilio.com/docs/conversations/api/service-resource"""

from typing import Any

from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.records import Service
from simulator.rest import paging
from simulator.rest.call import GONE, Call, Reply

_LINKS = (
    "Conversations", "Users", "Roles", "Bindings", "Configuration", "ParticipantConversations",
    "ConversationWithParticipants",
)  # fmt: skip
_ROLES = {
    "default_conversation_creator_role_sid": "DefaultConversationCreatorRoleSid",
    "default_conversation_role_sid": "DefaultConversationRoleSid",
    "default_chat_service_role_sid": "DefaultChatServiceRoleSid",
}
# Form field's first part -> response field, with what Twilio says unless told otherwise.
_NOTICES: dict[str, tuple[str, dict[str, Any]]] = {
    "NewMessage": ("new_message", {"enabled": False, "template": None, "sound": None, "badge_count_enabled": False}),
    "AddedToConversation": ("added_to_conversation", {"enabled": False, "template": None, "sound": None}),
    "RemovedFromConversation": ("removed_from_conversation", {"enabled": False, "template": None, "sound": None}),
}
_MAX_NAME = 256


def create(call: Call) -> Reply:
    name = call.text("FriendlyName")
    if not name:
        raise TwilioError(50000, "FriendlyName not provided")
    if len(name) > _MAX_NAME:
        raise TwilioError(50003, "Friendly name too long")
    return Reply(body=_show(call, call.world.people.open_service(name)), status=201)


def listing(call: Call) -> Reply:
    return paging.v1(call, "services", call.world.store.services.rows.values(), lambda row: _show(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=_show(call, _find(call, call.ids[0])))


def delete(call: Call) -> Reply:
    """With all that is in it."""
    service, store = _find(call, call.ids[0]), call.world.store
    if service.sid == call.world.talks.defaults.first_chat_service:
        raise TwilioError(20001, "The default service of an account cannot be deleted")
    for conversation in [row for row in store.conversations.rows.values() if row.service == service.sid]:
        call.world.talks.remove(conversation, source=None)
    for table in (store.users, store.roles):
        for sid in [row.sid for row in table.rows.values() if row.service == service.sid]:
            table.remove(sid)
    for upload in [row for row in store.uploads.rows.values() if row.service == service.sid]:
        call.world.uploads.remove(upload.sid)
    for hook in list(store.hooks_of.of(service.sid)):
        store.hooks.remove(hook)
    store.services.remove(service.sid)
    return GONE


def fetch_configuration(call: Call) -> Reply:
    return Reply(body=_show_configuration(call, _find(call, call.service)))


def update_configuration(call: Call) -> Reply:
    service = _find(call, call.service)
    settings: dict[str, Any] = call.given(**_ROLES) | call.flags(reachability_enabled="ReachabilityEnabled")
    for name in _ROLES:
        role = call.world.store.roles.get(settings[name]) if name in settings else None
        if name in settings and (role is None or role.service != service.sid):
            raise TwilioError(50100, "Role not found", 404)
    call.world.store.services.change(service, settings=service.settings | settings, updated=call.world.clock.now())
    return Reply(body=_show_configuration(call, service))


def fetch_notifications(call: Call) -> Reply:
    return Reply(body=_show_notifications(call, _find(call, call.service)))


def update_notifications(call: Call) -> Reply:
    """Kept and shown; nothing is pushed."""
    service = _find(call, call.service)
    kept: dict[str, Any] = dict(service.settings.get("notifications", {}))
    for name, values in call.form.items():
        head = name.partition(".")[0]
        if head in _NOTICES or name == "LogEnabled":
            flag = name.endswith("Enabled")
            kept[name] = call.flag(name) if flag else values[0]
    settings = service.settings | {"notifications": kept}
    call.world.store.services.change(service, settings=settings, updated=call.world.clock.now())
    return Reply(body=_show_notifications(call, service))


def no_bindings(call: Call) -> Reply:
    """Push registrations come from devices, of which there are none here."""
    rows: tuple[Service, ...] = ()
    return paging.v1(call, "bindings", rows, lambda row: _show(call, row))


def no_binding(call: Call) -> Reply:
    raise not_found(f"/Services/{call.service}/Bindings/{call.ids[0]}")


def _find(call: Call, sid: str) -> Service:
    service = call.world.store.services.get(sid)
    if service is None:
        raise not_found(f"/Services/{sid}")
    return service


def _show(call: Call, service: Service) -> dict[str, Any]:
    url = f"{call.world.urls.conversations}/v1/Services/{service.sid}"
    return {
        "sid": service.sid,
        "account_sid": call.world.config.account_sid,
        "friendly_name": service.friendly_name,
        "date_created": iso(service.created),
        "date_updated": iso(service.updated),
        "url": url,
        "links": {_snake(name): f"{url}/{name}" for name in _LINKS},
    }


def _show_configuration(call: Call, service: Service) -> dict[str, Any]:
    url = f"{call.world.urls.conversations}/v1/Services/{service.sid}/Configuration"
    return {
        "chat_service_sid": service.sid,
        **{name: service.settings.get(name) for name in _ROLES},
        "reachability_enabled": service.settings.get("reachability_enabled", False),
        "url": url,
        "links": {"notifications": f"{url}/Notifications", "webhooks": f"{url}/Webhooks"},
    }


def _show_notifications(call: Call, service: Service) -> dict[str, Any]:
    kept = service.settings.get("notifications", {})
    shown: dict[str, Any] = {}
    for head, (name, usual) in _NOTICES.items():
        shown[name] = {field: kept.get(f"{head}.{_camel(field)}", value) for field, value in usual.items()}
    shown["new_message"]["with_media"] = {
        "enabled": kept.get("NewMessage.WithMedia.Enabled", False),
        "template": kept.get("NewMessage.WithMedia.Template"),
    }
    return shown | {
        "account_sid": call.world.config.account_sid,
        "chat_service_sid": service.sid,
        "log_enabled": kept.get("LogEnabled", False),
        "url": f"{call.world.urls.conversations}/v1/Services/{service.sid}/Configuration/Notifications",
    }


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).strip("_")


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
