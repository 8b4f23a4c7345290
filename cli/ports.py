"""Which ports the development processes listen on."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


def choose(name: str, wanted: int | None, default: int) -> int:
    """The wanted port; the default, or a free one where that is busy or 0 was asked for.

    Raises:
        ValueError: the wanted port is busy.
    """
    if wanted:
        if not is_free(wanted):
            raise ValueError(f"--{name}-port: {wanted} is in use; give another, or 0 for any free one")
        return wanted
    if wanted is None and is_free(default):
        return default
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
