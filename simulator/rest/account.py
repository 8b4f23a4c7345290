"""The account itself."""

from simulator.clock import rfc2822
from simulator.rest.call import Call, Reply


def fetch(call: Call) -> Reply:
    base, created = call.world.urls.account, rfc2822(0)
    body = {
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
    return Reply(body=body)
