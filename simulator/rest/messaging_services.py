"""Messaging Services and their senders. https://www.twilio.com/docs/messaging/api/service-resource"""

from typing import Any

from simulator import address, digits, weburl
from simulator.assets import MessagingService
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.records import Number
from simulator.rest import paging
from simulator.rest.call import GONE, Call, Reply

_METHODS = frozenset({"GET", "POST"})
_SCAN = frozenset({"inherit", "enable", "disable"})
_VALIDITY = range(1, 36_001)  # seconds
_TEXTS = {
    "friendly_name": "FriendlyName",
    "inbound_request_url": "InboundRequestUrl",
    "inbound_method": "InboundMethod",
    "fallback_url": "FallbackUrl",
    "fallback_method": "FallbackMethod",
    "status_callback": "StatusCallback",
    "scan_message_content": "ScanMessageContent",
    "usecase": "Usecase",
}
_FLAGS = {
    "sticky_sender": "StickySender",
    "mms_converter": "MmsConverter",
    "smart_encoding": "SmartEncoding",
    "fallback_to_long_code": "FallbackToLongCode",
    "area_code_geomatch": "AreaCodeGeomatch",
    "synchronous_validation": "SynchronousValidation",
    "use_inbound_webhook_on_number": "UseInboundWebhookOnNumber",
}
_LINKS = {
    "phone_numbers": "PhoneNumbers",
    "short_codes": "ShortCodes",
    "alpha_senders": "AlphaSenders",
    "channel_senders": "ChannelSenders",
    "messages": "Messages",
    "us_app_to_person": "Compliance/Usa2p",
    "us_app_to_person_usecases": "Compliance/Usa2p/Usecases",
}


def create(call: Call) -> Reply:
    fields, now = _fields(call), call.world.clock.now()
    if not fields.get("friendly_name"):
        raise TwilioError(20001, "Missing required parameter FriendlyName in the post body")
    service = MessagingService(sid=call.world.sids.new("MG"), created=now, updated=now, **fields)
    call.world.store.messaging_services.add(service)
    return Reply(body=_show(call, service), status=201)


def listing(call: Call) -> Reply:
    rows = call.world.store.messaging_services.rows.values()
    return paging.v1(call, "services", rows, lambda row: _show(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=_show(call, _find(call)))


def update(call: Call) -> Reply:
    service = _find(call)
    call.world.store.messaging_services.change(service, updated=call.world.clock.now(), **_fields(call))
    return Reply(body=_show(call, service))


def delete(call: Call) -> Reply:
    service = _find(call)
    if service.sid == call.world.pools.default:
        raise TwilioError(20001, "The default Messaging Service of an account cannot be deleted")
    for number in call.world.pools.senders(service.sid):
        call.world.store.numbers.change(number, messaging_service_sid=None)
    call.world.store.messaging_services.remove(service.sid)
    return GONE


def add_number(call: Call) -> Reply:
    sid = call.text("PhoneNumberSid")
    if not sid:
        raise TwilioError(20001, "Missing required parameter PhoneNumberSid in the post body")
    return Reply(body=_show_number(call, _join(call, call.world.store.numbers.get(sid), phone=True)), status=201)


def list_numbers(call: Call) -> Reply:
    rows = call.world.pools.senders(_find(call).sid, "sms")
    return paging.v1(call, "phone_numbers", rows, lambda row: _show_number(call, row))


def fetch_number(call: Call) -> Reply:
    return Reply(body=_show_number(call, _sender(call, call.ids[1])))


def remove_number(call: Call) -> Reply:
    return _leave(call, _sender(call, call.ids[1]))


def add_channel(call: Call) -> Reply:
    """A sender on WhatsApp, RCS or Messenger: its XE sid has the digits of its address's PN sid."""
    sid = call.text("Sid")
    if not sid:
        raise TwilioError(20001, "Missing required parameter Sid in the post body")
    number = _join(call, call.world.store.numbers.get("PN" + sid[2:]), phone=False)
    return Reply(body=_show_channel(call, number), status=201)


def list_channels(call: Call) -> Reply:
    rows = [row for row in call.world.pools.senders(_find(call).sid) if ":" in row.address]
    return paging.v1(call, "senders", rows, lambda row: _show_channel(call, row))


def fetch_channel(call: Call) -> Reply:
    return Reply(body=_show_channel(call, _sender(call, "PN" + call.ids[1][2:])))


def remove_channel(call: Call) -> Reply:
    return _leave(call, _sender(call, "PN" + call.ids[1][2:]))


def _fields(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = call.given(**_TEXTS) | call.flags(**_FLAGS)
    for name in ("inbound_request_url", "fallback_url", "status_callback"):
        if url := fields.get(name):
            if not weburl.is_web(url):
                raise TwilioError(20001, f"Invalid {_TEXTS[name]} parameter: a URL expected")
        elif name in fields:
            fields[name] = None
    for name in ("inbound_method", "fallback_method"):
        if fields.get(name, "POST") not in _METHODS:
            raise TwilioError(20001, f"Invalid {_TEXTS[name]} parameter: GET or POST expected")
    if fields.get("scan_message_content", "inherit") not in _SCAN:
        raise TwilioError(20001, "Invalid ScanMessageContent parameter: inherit, enable or disable expected")
    if (period := call.text("ValidityPeriod")) is not None:
        if (seconds := digits.whole(period)) not in _VALIDITY:
            raise TwilioError(20001, "Invalid ValidityPeriod parameter: 1 to 36000 expected")
        fields["validity_period"] = seconds
    return fields


def _find(call: Call) -> MessagingService:
    service = call.world.pools.service(call.ids[0])
    if service is None:
        raise not_found(f"/Services/{call.ids[0]}")
    return service


def _join(call: Call, number: Number | None, *, phone: bool) -> Number:
    service = _find(call)
    if number is None or (":" not in number.address) is not phone:
        raise TwilioError(21404, "The sender is not one of this account", 404)
    if number.messaging_service_sid == service.sid:
        raise TwilioError(21710, "Phone Number or Short Code is already in the Messaging Service.", 409)
    if number.messaging_service_sid is not None:
        raise TwilioError(21712, "Phone Number or Short Code is associated with another Messaging Service.", 409)
    sid = None if service.sid == call.world.pools.default else service.sid
    return call.world.store.numbers.change(number, messaging_service_sid=sid)


def _leave(call: Call, number: Number) -> Reply:
    call.world.store.numbers.change(number, messaging_service_sid=None)
    return GONE


def _sender(call: Call, sid: str) -> Number:
    service = _find(call)
    number = next((number for number in call.world.pools.senders(service.sid) if number.sid == sid), None)
    if number is None:
        raise not_found(call.path.removeprefix("/v1"))
    return number


def _show(call: Call, service: MessagingService) -> dict[str, Any]:
    url = f"{call.world.urls.of('messaging')}/v1/Services/{service.sid}"
    names = (*_TEXTS, *_FLAGS, "validity_period")
    return {
        "sid": service.sid,
        "account_sid": call.world.config.account_sid,
        **{name: getattr(service, name) for name in names},
        "us_app_to_person_registered": False,
        "date_created": iso(service.created),
        "date_updated": iso(service.updated),
        "url": url,
        "links": {name: f"{url}/{path}" for name, path in _LINKS.items()},
    }


def _show_number(call: Call, number: Number) -> dict[str, Any]:
    return {
        "sid": number.sid,
        "account_sid": call.world.config.account_sid,
        "service_sid": call.ids[0],
        "phone_number": number.address,
        "country_code": "US" if number.address.startswith("+1") else None,
        "capabilities": ["SMS", "MMS"],
        "date_created": iso(number.created),
        "date_updated": iso(number.updated),
        "url": f"{call.world.urls.of('messaging')}/v1/Services/{call.ids[0]}/PhoneNumbers/{number.sid}",
    }


def _show_channel(call: Call, number: Number) -> dict[str, Any]:
    sid = "XE" + number.sid[2:]
    return {
        "sid": sid,
        "account_sid": call.world.config.account_sid,
        "messaging_service_sid": call.ids[0],
        "sender": number.address,
        "sender_type": address.channel(number.address).upper(),
        "country_code": "US" if address.bare(number.address).startswith("+1") else None,
        "date_created": iso(number.created),
        "date_updated": iso(number.updated),
        "url": f"{call.world.urls.of('messaging')}/v1/Services/{call.ids[0]}/ChannelSenders/{sid}",
    }
