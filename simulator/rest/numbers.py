"""The account's phone numbers. https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource"""

from typing import Any

from simulator import address, weburl
from simulator.clock import rfc2822
from simulator.errors import TwilioError, not_found
from simulator.records import Number
from simulator.rest import paging
from simulator.rest.call import GONE, Call, Reply

_METHODS = frozenset({"GET", "POST"})
_TEXTS = {
    "friendly_name": "FriendlyName",
    "sms_url": "SmsUrl",
    "sms_method": "SmsMethod",
    "sms_fallback_url": "SmsFallbackUrl",
    "sms_fallback_method": "SmsFallbackMethod",
    "status_callback": "StatusCallback",
}
# What texting has no use for is kept and shown. Response field -> form field.
_SETTINGS = {
    "address_sid": "AddressSid",
    "bundle_sid": "BundleSid",
    "emergency_address_sid": "EmergencyAddressSid",
    "emergency_status": "EmergencyStatus",
    "identity_sid": "IdentitySid",
    "sms_application_sid": "SmsApplicationSid",
    "status_callback_method": "StatusCallbackMethod",
    "trunk_sid": "TrunkSid",
    "voice_application_sid": "VoiceApplicationSid",
    "voice_caller_id_lookup": "VoiceCallerIdLookup",
    "voice_fallback_method": "VoiceFallbackMethod",
    "voice_fallback_url": "VoiceFallbackUrl",
    "voice_method": "VoiceMethod",
    "voice_receive_mode": "VoiceReceiveMode",
    "voice_url": "VoiceUrl",
}
# https://www.twilio.com/docs/phone-numbers/toll-free
_TOLL_FREE = tuple(f"+1{area}" for area in (800, 833, 844, 855, 866, 877, 888))
_UNSET: dict[str, Any] = {
    "emergency_address_status": "unregistered",
    "emergency_status": "Inactive",
    "status_callback_method": "POST",
    "voice_fallback_method": "POST",
    "voice_method": "POST",
    "voice_receive_mode": "voice",
}


def create(call: Call) -> Reply:
    return Reply(body=show(call, buy(call)), status=201)


def buy(call: Call, kind: str | None = None) -> Number:
    """Any number that is nobody's yet can be had: by name, or any of an area. Raises TwilioError."""
    value, area = call.text("PhoneNumber"), call.text("AreaCode")
    if not value and not area:
        raise TwilioError(21452, "PhoneNumber or AreaCode: one of them is required.")
    value = address.normal(value) if value else _free(call, area or "")
    if not address.valid(value) or address.channel(value) != "sms":
        raise TwilioError(21421, f"PhoneNumber {value} is invalid.")
    if call.world.texting.number(value) is not None:
        raise TwilioError(21422, f"PhoneNumber {value} is not available.")
    now = call.world.clock.now()
    fields = {"friendly_name": value, "sms_url": ""} | _fields(call)
    number = Number(sid=call.world.sids.new("PN"), address=value, created=now, updated=now, **fields)
    if kind is not None:
        number.settings["type"] = kind
    return call.world.store.numbers.add(number)


def listing(call: Call) -> Reply:
    return paging.v2010(call, "incoming_phone_numbers", asked(call), lambda number: show(call, number))


def asked(call: Call) -> list[Number]:
    """Those that a list asks for. WhatsApp senders are not phone numbers of the account, on Twilio neither."""
    value, name = call.asked("PhoneNumber"), call.asked("FriendlyName")
    return [
        number
        for number in call.world.store.numbers.rows.values()
        if ":" not in number.address
        and (value is None or value.strip("*") in number.address)
        and name in {None, number.friendly_name}
    ]


def fetch(call: Call) -> Reply:
    return Reply(body=show(call, _find(call)))


def update(call: Call) -> Reply:
    number = _find(call)
    call.world.store.numbers.change(number, updated=call.world.clock.now(), **_fields(call, number))
    return Reply(body=show(call, number))


def delete(call: Call) -> Reply:
    call.world.store.numbers.remove(_find(call).sid)
    return GONE


def kind_of(number: Number) -> str:
    """local, mobile or toll-free: as it was bought, else by its number."""
    return number.settings.get("type") or ("toll-free" if number.address.startswith(_TOLL_FREE) else "local")


def show(call: Call, number: Number) -> dict[str, Any]:
    shown: dict[str, Any] = dict.fromkeys(_SETTINGS) | _UNSET | number.settings
    shown["voice_caller_id_lookup"] = number.settings.get("voice_caller_id_lookup") == "true"
    return shown | {
        "account_sid": call.account,
        "address_requirements": "none",
        "api_version": "2010-04-01",
        "beta": False,
        "capabilities": {"sms": True, "mms": True, "voice": False, "fax": False},
        "date_created": rfc2822(number.created),
        "date_updated": rfc2822(number.updated),
        "friendly_name": number.friendly_name,
        "origin": "twilio",
        "phone_number": number.address,
        "sid": number.sid,
        "sms_fallback_method": number.sms_fallback_method,
        "sms_fallback_url": number.sms_fallback_url,
        "sms_method": number.sms_method,
        "sms_url": number.sms_url,
        "status": "in-use",
        "status_callback": number.status_callback,
        "type": kind_of(number),
        "uri": f"{call.account_path}/IncomingPhoneNumbers/{number.sid}.json",
    }


def _free(call: Call, area: str) -> str:
    if len(area) != 3 or not area.isdecimal():  # noqa: PLR2004 - as area codes are
        raise TwilioError(21451, f"AreaCode {area} is invalid.")
    return next(value for n in range(10_000) if call.world.texting.number(value := f"+1{area}555{n:04d}") is None)


def _fields(call: Call, number: Number | None = None) -> dict[str, Any]:
    fields: dict[str, Any] = call.given(**_TEXTS)
    for name in ("sms_url", "sms_fallback_url", "status_callback"):
        if (url := fields.get(name)) and not weburl.is_web(url):
            raise TwilioError(21402 if name == "sms_url" else 21502, f"{_TEXTS[name]} is not a valid URL.")
    for name in ("sms_method", "sms_fallback_method"):
        if name in fields:
            fields[name] = fields[name].upper()
            if fields[name] not in _METHODS:
                raise TwilioError(21403, f"{_TEXTS[name]} is invalid: GET or POST expected.")
    if settings := call.given(**_SETTINGS):
        fields["settings"] = (number.settings if number else {}) | settings
    return fields


def _find(call: Call) -> Number:
    number = call.world.store.numbers.get(call.ids[1].removesuffix(".json"))
    if number is None:
        raise not_found(call.path)
    return number
