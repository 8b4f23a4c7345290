"""The account's phone numbers by kind, which Twilio has as resources of their own.

https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-local-resource and its neighbours
"""

from typing import Any

from simulator.records import Number
from simulator.rest import numbers, paging
from simulator.rest.call import Call, Reply


def list_local(call: Call) -> Reply:
    return _list(call, "local")


def list_mobile(call: Call) -> Reply:
    return _list(call, "mobile")


def list_toll_free(call: Call) -> Reply:
    return _list(call, "toll-free")


def create_local(call: Call) -> Reply:
    return _create(call, "local")


def create_mobile(call: Call) -> Reply:
    return _create(call, "mobile")


def create_toll_free(call: Call) -> Reply:
    return _create(call, "toll-free")


def _list(call: Call, kind: str) -> Reply:
    rows = [number for number in numbers.asked(call) if numbers.kind_of(number) == kind]
    return paging.v2010(call, "incoming_phone_numbers", rows, lambda number: _show(call, number))


def _create(call: Call, kind: str) -> Reply:
    return Reply(body=_show(call, numbers.buy(call, kind)), status=201)


def _show(call: Call, number: Number) -> dict[str, Any]:
    """The path tells the kind."""
    return {name: value for name, value in numbers.show(call, number).items() if name != "type"}
