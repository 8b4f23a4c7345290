"""`/_sim`: what a test, a phone page or a person at a prompt does to the simulator and sees of it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from simulator import control_content, inbound
from simulator.clock import FAR, iso_ms, parse_duration, parse_iso
from simulator.errors import ControlError
from simulator.records import Message
from simulator.rest.entrance import json_bytes
from simulator.views import message_view
from simulator.world import World

_KEEP_ALIVE = 15  # seconds between comments on a quiet event stream, below what proxies wait for
Handler = Callable[[Request], Awaitable[Response]]


class Control:
    def __init__(self, world: World) -> None:
        self._world = world
        self._closing = asyncio.Event()

    def routes(self) -> list[Route]:
        table: tuple[tuple[str, str, Handler], ...] = (
            ("POST", "inbound", self._inbound),
            ("POST", "chat", self._chat),
            ("POST", "read", self._read),
            ("GET", "messages", self._messages),
            ("POST", "media", self._add_media),
            ("GET", "media/{sid}", self._media),
            ("POST", "templates", self._set_template),
            ("GET", "transcript", self._transcript),
            ("GET", "events", self._events),
            ("GET", "webhooks", self._webhooks),
            ("GET", "numbers", self._numbers),
            ("POST", "numbers", self._set_number),
            ("GET", "faults", self._faults),
            ("POST", "faults", self._arm),
            ("DELETE", "faults", self._disarm),
            ("GET", "clock", self._clock),
            ("POST", "clock", self._set_clock),
            ("POST", "reset", self._reset),
            ("GET", "health", self._health),
        )
        return [Route(f"/_sim/{path}", _guarded(handler), methods=[method]) for method, path, handler in table]

    def close(self) -> None:
        """Ends the open event streams."""
        self._closing.set()

    async def _inbound(self, request: Request) -> Response:
        text = inbound.read(await _fields(request), self._world.config, self._attach)
        if self._world.texting.number(text.recipient) is None:
            raise ControlError("to", "not one of our numbers", 404)
        message = self._world.texting.receive(text)
        return _json(message_view(message), 201)

    async def _chat(self, request: Request) -> Response:
        """A chat user says something, as a Client SDK would. Opens a conversation unless one is named."""
        fields = await _fields(request)
        identity, body, talks = _text(fields, "identity"), _text(fields, "body"), self._world.talks
        sid = _text(fields, "conversation_sid", "")
        conversation = self._world.store.conversations.get(sid) if sid else talks.open(source="SDK")
        if conversation is None:
            raise ControlError("conversation_sid", "no such conversation", 404)
        if conversation.state == "closed":
            raise ControlError("conversation_sid", "this conversation is closed", 409)
        if talks.member(conversation, identity) is None:
            talks.join(conversation, source="SDK", identity=identity)
        message = talks.say(conversation, author=identity, source="SDK", body=body)
        return _json({"conversation_sid": conversation.sid, "sid": message.sid, "index": message.index}, 201)

    async def _read(self, request: Request) -> Response:
        fields = await _fields(request)
        return _json({"read": self._world.texting.saw(_text(fields, "phone"))})

    async def _messages(self, request: Request) -> Response:
        phone = request.query_params.get("phone", "")
        limit = _whole("limit", request.query_params.get("limit"), 100, 1, 10_000)
        found = reversed(list(self._of(phone)) if phone else self._world.store.messages.rows.values())
        rows = list(islice(found, limit))[::-1]
        return _json(
            {"messages": [message_view(message) for message in rows], "last_id": self._world.transcript.last_id}
        )

    async def _add_media(self, request: Request) -> Response:
        return _json(await control_content.add_media(self._world, request), 201)

    async def _media(self, request: Request) -> Response:
        return control_content.open_media(self._world, request.path_params["sid"])

    async def _set_template(self, request: Request) -> Response:
        return _json(control_content.set_template(self._world, await _fields(request)))

    async def _transcript(self, request: Request) -> Response:
        after = _whole("after", request.query_params.get("after"), 0, 0)
        lines = b"".join(json_bytes(record) + b"\n" for record in self._world.transcript.since(after))
        return Response(lines, media_type="application/x-ndjson")

    async def _events(self, request: Request) -> Response:
        wanted = request.headers.get("last-event-id") or request.query_params.get("after")
        after = _whole("after", wanted, self._world.transcript.last_id, 0)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(after), media_type="text/event-stream", headers=headers)

    async def _webhooks(self, _: Request) -> Response:
        return _json({"attempts": self._world.transcript.webhooks(), "pending": self._world.webhooks.pending})

    async def _numbers(self, _: Request) -> Response:
        return _json({"numbers": [_show_number(row) for row in self._world.store.numbers.rows.values()]})

    async def _set_number(self, request: Request) -> Response:
        """Where the inbound webhook of one of our numbers goes; an empty sms_url means nowhere."""
        fields = await _fields(request)
        number = self._world.texting.number(_text(fields, "address"))
        if number is None:
            raise ControlError("address", "not one of our numbers", 404)
        url, method = _text(fields, "sms_url", ""), _text(fields, "sms_method", number.sms_method).upper()
        if url and urlsplit(url).scheme not in {"http", "https"}:
            raise ControlError("sms_url", "an http or https URL expected")
        if method not in {"GET", "POST"}:
            raise ControlError("sms_method", "GET or POST expected")
        self._world.store.numbers.change(number, sms_url=url, sms_method=method, updated=self._world.clock.now())
        return _json(_show_number(number))

    async def _faults(self, _: Request) -> Response:
        return _json({"faults": self._world.faults.armed()})

    async def _arm(self, request: Request) -> Response:
        self._world.faults.arm(await _fields(request))
        return _json({"faults": self._world.faults.armed()}, 201)

    async def _disarm(self, _: Request) -> Response:
        self._world.faults.clear()
        return Response(status_code=204)

    async def _clock(self, _: Request) -> Response:
        return _json(self._show_clock())

    async def _set_clock(self, request: Request) -> Response:
        """Pauses or resumes first, then moves."""
        fields, clock = await _fields(request), self._world.clock
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
        return _json(self._show_clock())

    def _show_clock(self) -> dict[str, Any]:
        clock = self._world.clock
        offset = clock.now() - time.time()
        return {"now": iso_ms(clock.now()), "offset": round(offset, 3), "paused": clock.paused}

    async def _reset(self, _: Request) -> Response:
        self._world.reset()
        return Response(status_code=204)

    async def _health(self, _: Request) -> Response:
        config, store = self._world.config, self._world.store
        return _json(
            {
                "status": "ok",
                "account_sid": config.account_sid,
                "phone_number": config.phone_number,
                "whatsapp_number": config.whatsapp_number,
                "messages": len(store.messages.rows),
                "conversations": len(store.conversations.rows),
                "webhooks_pending": self._world.webhooks.pending,
            }
        )

    def _attach(self, urls: list[str], kinds: list[str]) -> list[dict[str, str]]:
        return self._world.uploads.attach(self._world.talks.default_service, urls, kinds)

    def _of(self, phone: str) -> list[Message]:
        """A bare number stands for the person on every channel that knows people by number."""
        names = [phone] if ":" in phone else [phone, f"whatsapp:{phone}", f"rcs:{phone}"]
        store = self._world.store
        found = [m for name in names for m in store.messages_to.of(name).values() if not m.inbound]
        found += [m for name in names for m in store.messages_from.of(name).values() if m.inbound]
        return sorted(found, key=lambda message: message.created)

    async def _stream(self, after: int) -> AsyncIterator[bytes]:
        closing = asyncio.create_task(self._closing.wait())
        try:
            with self._world.transcript.listen() as queue:
                yield b"retry: 1000\n\n" + b"".join(map(_event, self._world.transcript.since(after)))
                while not closing.done():
                    getting = asyncio.create_task(queue.get())
                    try:
                        await asyncio.wait({getting, closing}, timeout=_KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED)
                        yield _event(getting.result()) if getting.done() else b": still here\n\n"
                    finally:
                        getting.cancel()
        finally:
            closing.cancel()


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except ControlError as problem:
            return _json(problem.body(), problem.status)

    return guarded


def _event(record: dict[str, Any]) -> bytes:
    return b"id: %d\ndata: %s\n\n" % (record["id"], json_bytes(record))


def _json(value: Any, status: int = 200) -> Response:
    return Response(json_bytes(value), status, media_type="application/json")


async def _fields(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(await request.body() or b"{}")
    except ValueError as problem:
        raise ControlError("body of the request", "not JSON") from problem
    if not isinstance(value, dict):
        raise ControlError("body of the request", "a JSON object expected")
    return value


def _text(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    value = fields.get(name)
    if value is None:
        value = default
    if not isinstance(value, str) or (default is None and not value):
        raise ControlError(name, "a text expected")
    return value


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


def _whole(field: str, text: str | None, default: int, low: int, high: int | None = None) -> int:
    if not text:
        return default
    if not text.isdecimal():
        raise ControlError(field, "a whole number expected")
    number = max(low, int(text))
    return number if high is None else min(number, high)


def _show_number(number: Any) -> dict[str, str]:
    return {"address": number.address, "sid": number.sid, "sms_url": number.sms_url, "sms_method": number.sms_method}
