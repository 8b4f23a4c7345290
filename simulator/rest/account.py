"""The account itself and its phone numbers."""

from typing import Any

from simulator.clock import rfc2822
from simulator.errors import not_found
from simulator.records import Number
from simulator.rest import paging
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


def list_numbers(call: Call) -> Reply:
    wanted = call.asked("PhoneNumber")
    # WhatsApp senders are not phone numbers of the account, on Twilio neither.
    rows = [n for n in call.world.store.numbers.rows.values() if ":" not in n.address and wanted in {None, n.address}]
    return paging.v2010(call, "incoming_phone_numbers", rows, lambda number: _show(call, number))


def fetch_number(call: Call) -> Reply:
    return Reply(body=_show(call, _find(call)))


def update_number(call: Call) -> Reply:
    number = _find(call)
    fields = call.given(
        sms_url="SmsUrl", sms_method="SmsMethod", status_callback="StatusCallback", friendly_name="FriendlyName"
    )
    call.world.store.numbers.change(number, updated=call.world.clock.now(), **fields)
    return Reply(body=_show(call, number))


def _find(call: Call) -> Number:
    number = call.world.store.numbers.get(call.ids[1].removesuffix(".json"))
    if number is None:
        raise not_found(call.path)
    return number


def _show(call: Call, number: Number) -> dict[str, Any]:
    return {
        "account_sid": call.world.config.account_sid,
        "sid": number.sid,
        "phone_number": number.address,
        "friendly_name": number.friendly_name,
        "sms_url": number.sms_url,
        "sms_method": number.sms_method,
        "status_callback": number.status_callback,
        "capabilities": {"sms": True, "mms": True, "voice": False, "fax": False},
        "date_created": rfc2822(number.created),
        "date_updated": rfc2822(number.updated),
        "api_version": "2010-04-01",
        "uri": f"{call.world.urls.account}/IncomingPhoneNumbers/{number.sid}.json",
    }
