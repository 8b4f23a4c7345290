"""JSON in, JSON out of `/_sim`: what its handlers have in common."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from simulator import digits, jsontext
from simulator.errors import ControlError
from simulator.rest.entrance import json_bytes

_LOG = logging.getLogger(__name__)
Handler = Callable[[Request], Awaitable[Response]]


def guarded(handler: Handler) -> Handler:
    """A ControlError becomes its answer; a mistake of the simulator becomes JSON too, and a traceback in its log."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except ControlError as problem:
            return reply(problem.body(), problem.status)
        except ClientDisconnect:
            raise
        except Exception:  # noqa: BLE001 - a caller gets JSON, whatever happens here
            _LOG.exception("a control call failed")
            return reply({"error": "the simulator failed; its log says where"}, 500)

    return guarded


def reply(value: Any, status: int = 200) -> Response:
    return Response(json_bytes(value), status, media_type="application/json")


def line(record: dict[str, Any]) -> bytes:
    """One line of JSON, in ASCII: many readers take other characters, such as U+2028, for the end of a line."""
    return json.dumps(record, separators=(",", ":")).encode()


async def fields(request: Request) -> dict[str, Any]:
    """The object in the body. Raises ControlError."""
    try:
        value = jsontext.parse(await request.body() or b"{}")
    except ValueError as problem:
        raise ControlError("body of the request", "not JSON") from problem
    if not isinstance(value, dict):
        raise ControlError("body of the request", "a JSON object expected")
    return value


def text(given: dict[str, Any], name: str, default: str | None = None) -> str:
    """A field that must be there, unless it has a default. Raises ControlError."""
    value = given.get(name)
    if value is None:
        value = default
    if not isinstance(value, str) or (default is None and not value):
        raise ControlError(name, "a text expected")
    return value


def whole(name: str, value: str | None, default: int, low: int, high: int | None = None) -> int:
    """A number of a query, kept within its range. Raises ControlError."""
    if not value:
        return default
    number = digits.whole(value)
    if number is None:
        raise ControlError(name, "a whole number expected")
    return max(low, number) if high is None else max(low, min(number, high))
