"""The account itself."""

from dataclasses import dataclass
from typing import Any

from simulator.clock import rfc2822
from simulator.rest import paging
from simulator.rest.call import Call, Reply


def fetch(call: Call) -> Reply:
    return Reply(body=_show(call))


def listing(call: Call) -> Reply:
    """The one that there is."""
    rows = (_Row(sid=call.world.config.account_sid),)
    return paging.v2010(call, "accounts", rows, lambda _: _show(call))


@dataclass(slots=True, kw_only=True)
class _Row:
    sid: str


def _show(call: Call) -> dict[str, Any]:
    base, created = call.world.urls.account, rfc2822(0)
    return {
        "sid": call.world.config.account_sid,
        "owner_account_sid": call.world.config.account_sid,
        "auth_token": call.world.config.auth_token,
        "friendly_name": "Simulator",
        "status": "active",
        "type": "Full",
        "date_created": created,
        "date_updated": created,
        "uri": f"{base}.json",
        "subresource_uris": {
            "messages": f"{base}/Messages.json",
            "incoming_phone_numbers": f"{base}/IncomingPhoneNumbers.json",
        },
    }
