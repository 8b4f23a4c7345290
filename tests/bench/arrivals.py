"""How an answer's arrival gets from the process where it is seen to the driver: one line of JSON over loopback TCP.

The provider stub and the bare worker report the same way, so neither row pays more for being watched. The time is
`time.monotonic_ns`, which on Linux is one clock for all processes.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

HOST = "127.0.0.1"

Seen = Callable[[int, str], None]


class Reporter:
    """The reporting end. A line is a few hundred bytes: the socket's buffer takes it without waiting."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def report(self, body: str) -> None:
        """Tell that `body` has arrived now."""
        self._socket.sendall(json.dumps([time.monotonic_ns(), body]).encode() + b"\n")


@asynccontextmanager
async def listening(seen: Seen) -> AsyncIterator[int]:
    """The port at which arrivals are taken; `seen` gets each one's time in nanoseconds and its body."""

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                at, body = json.loads(line)
                seen(at, body)
        finally:
            writer.close()

    server = await asyncio.start_server(read, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        # Not waited for: the reporting processes may hold their end open for longer than this one lives.
        server.close()
