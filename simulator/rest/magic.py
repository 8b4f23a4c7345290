"""Test credentials: a few numbers have a fixed answer, and nothing is kept, sent or announced.

https://www.twilio.com/docs/iam/test-credentials
"""

from dataclasses import replace

from simulator import address
from simulator.errors import TwilioError, not_found
from simulator.records import Number
from simulator.rest import messages, numbers, outgoing
from simulator.rest.call import Call, Reply

_NONE_IN = "533"  # an area code
_NUMBERS = {
    "+15005550000": (21422, "PhoneNumber {} is not available."),
    "+15005550001": (21421, "PhoneNumber {} is invalid."),
}


def answer(call: Call, handler: object) -> Reply:
    """To a call with test credentials. Raises TwilioError."""
    if handler not in {messages.create, numbers.create}:
        raise TwilioError(20008, "Resource not accessible with Test Account Credentials", 403)
    call = replace(call, account=call.world.config.test_account_sid)
    if call.ids[0] != call.account:
        raise not_found(call.path)
    return _message(call) if handler is messages.create else _number(call)


def _message(call: Call) -> Reply:
    message = call.world.texting.draft(outgoing.read(call))
    return Reply(body=messages.show(call, message), status=201)


def _number(call: Call) -> Reply:
    value, area, now = call.text("PhoneNumber"), call.text("AreaCode"), call.world.clock.now()
    if not value and not area:
        raise TwilioError(21452, "PhoneNumber or AreaCode: one of them is required.")
    if area == _NONE_IN:
        raise TwilioError(21452, f"No phone numbers found in area code {area}.")
    value = value or f"+1{area}5550006"
    if (magic := _NUMBERS.get(value)) is not None or (value != address.MAGIC_OK and not area):
        code, text = magic or _NUMBERS["+15005550001"]
        raise TwilioError(code, text.format(value))
    sid = call.world.sids.new("PN")
    number = Number(sid=sid, address=value, sms_url="", friendly_name=value, created=now, updated=now)
    return Reply(body=numbers.show(call, number), status=201)
