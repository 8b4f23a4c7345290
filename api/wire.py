"""The HTTP protocol of the API's server, with bounds: a head of a request is small, and is there soon.

uvicorn's own keeps whatever it is sent until a head is complete, however long and however large that gets.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Ten times what Twilio, a browser or a proxy sends; nginx takes 32 kB by default too.
MAX_HEAD = 32 * 1024
MAX_HEADERS = 100
# Seconds from the first byte to the last one of a head; also for a connection on which nothing comes.
HEAD_SECONDS = 10.0
# Seconds in which a client that is still sending may read that nobody listens.
LINGER = 1.0
# A process of Linux has 1,024 files unless told otherwise, and needs some for itself.
MAX_CONNECTIONS = 900

_REFUSED = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class BoundedHttp(HttpToolsProtocol):
    """Answers 431 to a head that is too large, and hangs up on one that is too slow or on a body that nobody reads."""

    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_size = 0
        self._in_head = True
        self._in_message = False
        self._too_large = False
        self._refused = False
        self._messages = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """A head is awaited."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head that is not complete; what comes after a refusal is let go."""
        if self._refused:
            return
        if self._in_head:
            self._head_size += len(data)
        super().data_received(data)
        # What came along with the end of a head was its body, and is counted as such.
        if self._in_head and self._head_size > MAX_HEAD and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        """The next request of a connection starts anew."""
        if not self._in_head:
            self._head_size = 0
        self._messages += 1
        self._in_message = True
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Nothing of a head that is too large reaches the application."""
        self._in_head = False
        self._stop_waiting()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        self._too_large = size > MAX_HEAD or len(self.headers) > MAX_HEADERS
        if self._too_large:
            raise ValueError  # stops the parser, which answers by `send_400_response`
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there."""
        super().on_message_complete()
        self._in_message = False

    def on_response_complete(self) -> None:
        """Whoever goes on to send what was answered already is hung up on, when it could read the answer."""
        if self._in_message:
            self.loop.call_later(LINGER, self._hang_up, self._messages)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """The parser gave up; if it was for our bound, say so."""
        if self._too_large:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _hang_up(self, message: int) -> None:
        if self._in_message and self._messages == message:
            self.transport.close()

    def _refuse(self) -> None:
        # Not at once: a client that is still sending would lose the answer with the connection.
        self._refused = True
        self._stop_waiting()
        self.transport.write(_REFUSED)
        self.loop.call_later(LINGER, self.transport.close)

    def _await_head(self) -> None:
        self._in_head = True
        self._stop_waiting()
        self._deadline = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
