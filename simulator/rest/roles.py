"""Roles of a service. https://www.twilio.com/docs/conversations/api/role-resource"""

from typing import Any

from simulator.assets import Role
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.rest import paging
from simulator.rest.call import GONE, Call, Reply

_TYPES = ("conversation", "service")


def create(call: Call) -> Reply:
    name, kind = call.text("FriendlyName"), call.text("Type")
    if not name:
        raise TwilioError(50000, "FriendlyName not provided")
    if kind not in _TYPES:
        raise TwilioError(50105, f"Invalid role type: one of {', '.join(_TYPES)} expected")
    role = call.world.people.add_role(call.service, name, kind, _permissions(call))
    return Reply(body=_show(call, role), status=201)


def listing(call: Call) -> Reply:
    rows = [role for role in call.world.store.roles.rows.values() if role.service == call.service]
    return paging.v1(call, "roles", rows, lambda row: _show(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=_show(call, _find(call)))


def update(call: Call) -> Reply:
    role = _find(call)
    call.world.store.roles.change(role, permissions=list(_permissions(call)), updated=call.world.clock.now())
    return Reply(body=_show(call, role))


def delete(call: Call) -> Reply:
    call.world.store.roles.remove(_find(call).sid)
    return GONE


def _permissions(call: Call) -> tuple[str, ...]:
    found = tuple(name for name in call.form.get("Permission", []) if name)
    if not found:
        raise TwilioError(20001, "Missing required parameter Permission in the post body")
    return found


def _find(call: Call) -> Role:
    role = call.world.store.roles.get(call.ids[0])
    if role is None or role.service != call.service:
        raise not_found(f"/Roles/{call.ids[0]}")
    return role


def _show(call: Call, role: Role) -> dict[str, Any]:
    return {
        "sid": role.sid,
        "account_sid": call.world.config.account_sid,
        "chat_service_sid": role.service,
        "friendly_name": role.friendly_name,
        "type": role.type,
        "permissions": role.permissions,
        "date_created": iso(role.created),
        "date_updated": iso(role.updated),
        "url": f"{call.world.urls.conversations}/v1{call.service_path}/Roles/{role.sid}",
    }
