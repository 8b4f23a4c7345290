"""Push credentials: kept and shown, never used. https://www.twilio.com/docs/conversations/api/credential-resource"""

from typing import Any

from simulator.assets import Credential
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.rest import paging
from simulator.rest.call import GONE, Call, Reply

_TYPES = ("apn", "gcm", "fcm")


def create(call: Call) -> Reply:
    now = call.world.clock.now()
    fields = _fields(call)
    if "type" not in fields:
        raise TwilioError(20001, "Missing required parameter Type in the post body")
    credential = Credential(sid=call.world.sids.new("CR"), created=now, updated=now, **fields)
    call.world.store.credentials.add(credential)
    return Reply(body=_show(call, credential), status=201)


def listing(call: Call) -> Reply:
    return paging.v1(call, "credentials", call.world.store.credentials.rows.values(), lambda row: _show(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=_show(call, _find(call)))


def update(call: Call) -> Reply:
    credential = call.world.store.credentials.change(_find(call), updated=call.world.clock.now(), **_fields(call))
    return Reply(body=_show(call, credential))


def delete(call: Call) -> Reply:
    call.world.store.credentials.remove(_find(call).sid)
    return GONE


def _fields(call: Call) -> dict[str, Any]:
    """Keys and certificates are not kept: nothing here could use them."""
    fields: dict[str, Any] = call.given(friendly_name="FriendlyName", type="Type") | call.flags(sandbox="Sandbox")
    if "type" in fields:
        fields["type"] = fields["type"].lower()
        if fields["type"] not in _TYPES:
            raise TwilioError(20001, f"Invalid Type parameter: one of {', '.join(_TYPES)} expected")
    return fields


def _find(call: Call) -> Credential:
    credential = call.world.store.credentials.get(call.ids[0])
    if credential is None:
        raise not_found(f"/Credentials/{call.ids[0]}")
    return credential


def _show(call: Call, credential: Credential) -> dict[str, Any]:
    return {
        "sid": credential.sid,
        "account_sid": call.world.config.account_sid,
        "friendly_name": credential.friendly_name,
        "type": credential.type,
        "sandbox": str(credential.sandbox),
        "date_created": iso(credential.created),
        "date_updated": iso(credential.updated),
        "url": f"{call.world.urls.conversations}/v1/Credentials/{credential.sid}",
    }
