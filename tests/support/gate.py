"""A way to servers that can be shut: refused, or left hanging, as an outage would. Several share its connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Gate:
    """Forwards a port of this machine to the targets in turn while it is open; one that refuses is passed over."""

    def __init__(self, *targets: str) -> None:
        self._targets = [(host, int(port)) for host, _, port in (target.rpartition(":") for target in targets)]
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._hanging = False
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Let everything through. Connections that hung are cut, as when a server comes back."""
        if self._hanging:
            self._hanging = False
            await self._cut()
        if self._server is None:
            self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Refuse connections, and cut those there are."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self._cut()

    async def hang(self) -> None:
        """Take connections and never answer."""
        await self.open()
        await self._cut()
        self._hanging = True

    async def _cut(self) -> None:
        for stream in tuple(self._streams):
            stream.transport.abort()
        self._streams.clear()
        await asyncio.gather(*self._serving)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams.add(writer)
        with suppress(OSError):
            if self._hanging:
                await reader.read()
                return
            there, back = await self._connect()
            self._streams.add(back)
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
            self._streams.discard(back)
        self._streams.discard(writer)
        writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the next target.

        Raises:
            OSError: none of them takes it.
        """
        self._targets.append(self._targets.pop(0))
        *first, last = self._targets
        for target in first:
            with suppress(OSError):
                return await asyncio.open_connection(*target)
        return await asyncio.open_connection(*last)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()


@asynccontextmanager
async def gate_to(*targets: str) -> AsyncIterator[Gate]:
    """An open gate."""
    gate = Gate(*targets)
    await gate.open()
    try:
        yield gate
    finally:
        await gate.shut()
