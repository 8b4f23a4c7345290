"""`/_sim`: what people do with their phones, and what can be seen of it. `steering` has what changes the simulator."""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from simulator import control_content, inbound, wire
from simulator.errors import ControlError, TwilioError
from simulator.records import Message
from simulator.views import message_view
from simulator.world import World

_KEEP_ALIVE = 15  # seconds between comments on a quiet event stream, below what proxies wait for


class Control:
    def __init__(self, world: World) -> None:
        self._world = world
        self._closing = asyncio.Event()

    def routes(self) -> list[Route]:
        table: tuple[tuple[str, str, wire.Handler], ...] = (
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
            ("GET", "debugger", self._debugger),
            ("POST", "reset", self._reset),
            ("GET", "health", self._health),
        )
        return [Route(f"/_sim/{path}", wire.guarded(handler), methods=[method]) for method, path, handler in table]

    def close(self) -> None:
        """Ends the open event streams."""
        self._closing.set()

    async def _inbound(self, request: Request) -> Response:
        text = inbound.read(await wire.fields(request), self._world.config, self._attach)
        if self._world.texting.number(text.recipient) is None:
            raise ControlError("to", "not one of our numbers")
        if self._world.texting.number(text.sender) is not None:
            raise ControlError("from", "one of our numbers; a person's expected")
        message = await self._world.arrivals.receive(text)
        return wire.reply(message_view(message), 201)

    async def _chat(self, request: Request) -> Response:
        """A chat user says something, as a Client SDK would. Opens a conversation unless one is named."""
        fields = await wire.fields(request)
        identity, body = wire.text(fields, "identity"), wire.text(fields, "body")
        sid = wire.text(fields, "conversation_sid", "")
        conversation = self._world.store.conversations.get(sid)
        if sid and conversation is None:
            raise ControlError("conversation_sid", "no such conversation", 404)
        if conversation is not None and conversation.state == "closed":
            raise ControlError("conversation_sid", "this conversation is closed", 409)
        try:
            message = await self._world.intake.chat(identity, body, conversation)
        except TwilioError as problem:
            raise ControlError("body", f"the product refuses: {problem.message}", 403) from problem
        return wire.reply({"conversation_sid": message.conversation, "sid": message.sid, "index": message.index}, 201)

    async def _read(self, request: Request) -> Response:
        fields = await wire.fields(request)
        return wire.reply({"read": self._world.texting.saw(wire.text(fields, "phone"))})

    async def _messages(self, request: Request) -> Response:
        phone = request.query_params.get("phone", "")
        limit = wire.whole("limit", request.query_params.get("limit"), 100, 1, 10_000)
        found = reversed(list(self._of(phone)) if phone else self._world.store.messages.rows.values())
        rows = list(islice(found, limit))[::-1]
        return wire.reply(
            {"messages": [message_view(message) for message in rows], "last_id": self._world.transcript.last_id}
        )

    async def _add_media(self, request: Request) -> Response:
        return wire.reply(await control_content.add_media(self._world, request), 201)

    async def _media(self, request: Request) -> Response:
        return control_content.open_media(self._world, request.path_params["sid"])

    async def _set_template(self, request: Request) -> Response:
        return wire.reply(control_content.set_template(self._world, await wire.fields(request)))

    async def _transcript(self, request: Request) -> Response:
        after = wire.whole("after", request.query_params.get("after"), 0, 0)
        lines = b"".join(wire.line(record) + b"\n" for record in self._world.transcript.since(after))
        return Response(lines, media_type="application/x-ndjson")

    async def _events(self, request: Request) -> Response:
        wanted = request.headers.get("last-event-id") or request.query_params.get("after")
        after = wire.whole("after", wanted, self._world.transcript.last_id, 0)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(after), media_type="text/event-stream", headers=headers)

    async def _webhooks(self, _: Request) -> Response:
        return wire.reply({"attempts": self._world.transcript.webhooks(), "pending": self._world.webhooks.pending})

    async def _debugger(self, _: Request) -> Response:
        return wire.reply({"entries": self._world.transcript.debugger()})

    async def _reset(self, _: Request) -> Response:
        self._world.reset()
        return Response(status_code=204)

    async def _health(self, _: Request) -> Response:
        config, store = self._world.config, self._world.store
        return wire.reply(
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
        return self._world.uploads.attach(self._world.talks.defaults.chat_service, urls, kinds)

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


def _event(record: dict[str, Any]) -> bytes:
    return b"id: %d\ndata: %s\n\n" % (record["id"], wire.line(record))
