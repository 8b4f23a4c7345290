"""Free ports, and waiting for what is true soon."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def eventually(look: Callable[[], Awaitable[T]], *, within: float = 30.0, every: float = 0.05) -> T:
    """The first truthy answer of `look`; its exceptions count as "not yet". Fails the test after `within` seconds."""
    last: object = None
    deadline = asyncio.get_running_loop().time() + within
    while asyncio.get_running_loop().time() < deadline:
        try:
            last = await look()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the failure message must say
            last = error
        else:
            if last:
                return last
        await asyncio.sleep(every)
    raise AssertionError(f"not within {within} s; last seen: {last!r}")
