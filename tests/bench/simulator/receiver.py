"""Takes status callbacks as cheaply as can be, and watches that each message's come once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httptools

STATUSES = ("sending", "sent", "delivered")
_OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(slots=True)
class Book:
    """`open`: sid -> how many of its statuses came, of those that have not had all of them."""

    done: int = 0
    callbacks: int = 0
    open: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    url: str = ""

    def enter(self, body: bytes) -> None:
        fields = parse_qs(body.decode())
        sid, status = fields["MessageSid"][0], fields["MessageStatus"][0]
        had = self.open.get(sid, 0)
        self.callbacks += 1
        if had >= len(STATUSES) or status != STATUSES[had]:
            self.faults.append(f"{sid}: {status} after {had} statuses")
        elif had + 1 == len(STATUSES):
            self.open.pop(sid, None)
            self.done += 1
        else:
            self.open[sid] = had + 1


class _Connection(asyncio.Protocol):
    def __init__(self, book: Book) -> None:
        self._book = book
        self._body = b""
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._book.enter(self._body)
        assert isinstance(self._transport, asyncio.Transport)
        self._transport.write(_OK)


@asynccontextmanager
async def listening() -> AsyncIterator[Book]:
    book = Book()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(book), "127.0.0.1", 0)
    book.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/status"
    try:
        yield book
    finally:
        server.close()
