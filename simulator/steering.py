"""`/_sim`: what changes how the simulator behaves: its clock, its faults, what it signs with, where its webhooks go."""

import time
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import events, weburl, wire
from simulator.clock import FAR, iso_ms, parse_duration, parse_iso
from simulator.delivery import Delivery
from simulator.errors import ControlError
from simulator.records import Number
from simulator.rest import routes
from simulator.rest.entrance import json_bytes
from simulator.world import World

_HOOKS = ("sms_url", "sms_method", "sms_fallback_url", "sms_fallback_method")
"""What can be set of a number, beside its rate."""


_EVENTS = ("message", "status", "twiml", *events.POST_EVENTS, *events.PRE_EVENTS)
"""What webhooks tell of, as faults name it."""


class Steering:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        table: tuple[tuple[str, str, wire.Handler], ...] = (
            ("GET", "clock", self._clock),
            ("POST", "clock", self._set_clock),
            ("GET", "faults", self._faults),
            ("POST", "faults", self._arm),
            ("DELETE", "faults", self._disarm),
            ("DELETE", "faults/{sid}", self._disarm_one),
            ("GET", "numbers", self._numbers),
            ("POST", "numbers", self._set_number),
            ("GET", "signing", self._signing),
            ("POST", "signing", self._set_signing),
            ("POST", "webhooks", self._send_webhook),
            ("GET", "switches", self._switches),
            ("POST", "switches", self._set_switches),
            ("GET", "opt-out", self._opt_out),
            ("POST", "opt-out", self._set_opt_out),
        )
        return [Route(f"/_sim/{path}", wire.guarded(handler), methods=[method]) for method, path, handler in table]

    async def _clock(self, _: Request) -> Response:
        return wire.reply(self._show_clock())

    async def _set_clock(self, request: Request) -> Response:
        """Pauses or resumes first, then moves."""
        fields, clock = await wire.fields(request), self._world.clock
        if unknown := fields.keys() - {"advance", "set", "paused"}:
            raise ControlError(min(unknown), "unknown; advance, set or paused expected")
        if "advance" in fields and "set" in fields:
            raise ControlError("set", "not together with advance")
        to = _target(fields, clock.now())
        paused = fields.get("paused")
        if paused is not None and not isinstance(paused, bool):
            raise ControlError("paused", "true or false expected")
        if paused is not None:
            clock.pause() if paused else clock.resume()
        if to is not None:
            clock.forward(to)
        self._world.keep_clock()
        return wire.reply(self._show_clock())

    def _show_clock(self) -> dict[str, Any]:
        clock = self._world.clock
        offset = clock.now() - time.time()
        return {"now": iso_ms(clock.now()), "offset": round(offset, 3), "paused": clock.paused}

    async def _faults(self, _: Request) -> Response:
        return wire.reply({"faults": self._world.faults.armed()})

    async def _arm(self, request: Request) -> Response:
        self._world.faults.arm(await wire.fields(request), routes.NAMES, _EVENTS)
        return wire.reply({"faults": self._world.faults.armed()}, 201)

    async def _disarm(self, _: Request) -> Response:
        self._world.faults.clear()
        return Response(status_code=204)

    async def _disarm_one(self, request: Request) -> Response:
        if not self._world.faults.disarm(request.path_params["sid"]):
            raise ControlError("sid", "no such fault", 404)
        return Response(status_code=204)

    async def _numbers(self, _: Request) -> Response:
        return wire.reply({"numbers": [_show_number(row) for row in self._world.store.numbers.rows.values()]})

    async def _set_number(self, request: Request) -> Response:
        """Where the inbound webhook of one of our numbers goes, an empty sms_url means nowhere; how fast it sends."""
        given, world = await wire.fields(request), self._world
        number = world.store.number(wire.text(given, "address"))
        if number is None:
            raise ControlError("address", "not one of our numbers", 404)
        if unknown := given.keys() - {"address", "messages_per_second", *_HOOKS}:
            raise ControlError(min(unknown), f"unknown; address, messages_per_second, {', '.join(_HOOKS)} expected")
        fields: dict[str, Any] = {name: _hook(given, name) for name in _HOOKS if name in given}
        if "messages_per_second" in given:
            fields["messages_per_second"] = _rate(given["messages_per_second"])
        world.store.numbers.change(number, updated=world.clock.now(), **fields)
        return wire.reply(_show_number(number))

    async def _signing(self, _: Request) -> Response:
        return wire.reply(self._world.signer.show())

    async def _switches(self, _: Request) -> Response:
        return wire.reply(asdict(self._world.switches))

    async def _set_switches(self, request: Request) -> Response:
        self._world.switches.set(await wire.fields(request), self._world.store)
        return wire.reply(asdict(self._world.switches))

    async def _opt_out(self, _: Request) -> Response:
        return wire.reply(self._world.consent.show())

    async def _set_opt_out(self, request: Request) -> Response:
        return wire.reply(self._world.consent.advance(await wire.fields(request)))

    async def _send_webhook(self, request: Request) -> Response:
        """Any request, signed as Twilio would: a form, or JSON with the hash of its body in the URL."""
        given = await wire.fields(request)
        if unknown := given.keys() - {"url", "method", "event", "form", "json"}:
            raise ControlError(min(unknown), "unknown; url, method, event, form or json expected")
        config = self._world.config
        url, method = (
            wire.text(given, "url", config.webhook_base + config.messages_path),
            wire.text(given, "method", "POST"),
        )
        if not weburl.is_web(url):
            raise ControlError("url", "an http or https URL expected")
        if method not in {"GET", "POST"}:
            raise ControlError("method", "GET or POST expected")
        event = wire.text(given, "event", "control")
        body = json_bytes(given["json"]).decode() if "json" in given else ""
        delivery = Delivery(
            url=url, method="POST" if body else method, event=event, subject="", order=f"{event} {url}", json=body,
            params=_form(given),
        )  # fmt: skip
        self._world.webhooks.send(delivery)
        return wire.reply({"idempotency_token": delivery.sid}, 202)

    async def _set_signing(self, request: Request) -> Response:
        self._world.signer.set(await wire.fields(request))
        return wire.reply(self._world.signer.show())


def _form(given: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Names with a text each, or a list of texts for a repeated field."""
    form = given.get("form") or {}
    if not isinstance(form, dict) or ("json" in given and form):
        raise ControlError("form", "an object of texts expected, and no json beside it")
    pairs = tuple(
        (name, value) for name, values in form.items() for value in (values if isinstance(values, list) else [values])
    )
    if not all(isinstance(value, str) for _, value in pairs):
        raise ControlError("form", "texts, or lists of texts, expected")
    return pairs


def _target(fields: dict[str, Any], now: float) -> float | None:
    """Where the clock shall be set, if it shall."""
    if (advance := fields.get("advance")) is not None:
        seconds = parse_duration(advance) if isinstance(advance, str) else advance
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= FAR - now:
            raise ControlError("advance", "seconds from 0, or a duration like PT24H, expected")
        return now + seconds
    if (instant := fields.get("set")) is not None:
        at = parse_iso(instant) if isinstance(instant, str) else None
        if at is None or at > FAR:
            raise ControlError("set", "an instant like 2026-01-31T12:00:00Z, at most in the year 2099, expected")
        if at < now:
            raise ControlError("set", f"not before {iso_ms(now)}: the clock never goes back")
        return at
    return None


def _hook(given: dict[str, Any], name: str) -> str:
    value = wire.text(given, name, "")
    if name.endswith("_method"):
        if value.upper() not in {"GET", "POST"}:
            raise ControlError(name, "GET or POST expected")
        return value.upper()
    if value and not weburl.is_web(value):
        raise ControlError(name, "an http or https URL expected")
    return value


def _rate(value: Any) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value <= 0):
        raise ControlError("messages_per_second", "a number above 0, or null, expected")
    return value


def _show_number(number: Number) -> dict[str, Any]:
    names = ("address", "sid", *_HOOKS, "messages_per_second")
    return {name: getattr(number, name) for name in names}
