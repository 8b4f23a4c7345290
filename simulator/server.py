"""A simulator that listens: its socket, its start and its end."""

import ipaddress
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from simulator.app import end_streams
from simulator.journal import Journal

_GRACE = 2  # seconds that open requests get when the server stops
_PARTS = 4  # of a line of the journal: op, table, sid, fields


class Server(uvicorn.Server):
    """`ready` is called once requests are taken."""

    def __init__(self, app: FastAPI, ready: Callable[[], None] = lambda: None) -> None:
        # The access log would hold phone numbers, and cost more than the requests.
        super().__init__(
            uvicorn.Config(app, access_log=False, log_level="warning", timeout_graceful_shutdown=_GRACE, ws="none")
        )
        self._app = app
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        end_streams(self._app)
        super().handle_exit(sig, frame)

    def end(self) -> None:
        """Lets it stop, open event streams first: it would wait for them otherwise."""
        end_streams(self._app)
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """Raises OSError with what cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as problem:
        why = os.strerror(problem.errno) if problem.errno and problem.errno > 0 else str(problem.strerror or problem)
        raise OSError(f"{host}:{port}: {why.lower()}") from problem


def url(listening: socket.socket) -> str:
    """Where it is reached from this machine."""
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - to compare, not to bind
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_open(listening: socket.socket) -> bool:
    """Whether other machines reach it."""
    return not ipaddress.ip_address(listening.getsockname()[0]).is_loopback


def check_data(path: Path | None) -> None:
    """Before anything starts. Raises OSError or ValueError for a file that cannot be kept, is no simulator's, or is
    another one's at the moment."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        file.seek(0)
        first = file.readline()
    if first.endswith("\n"):
        try:
            found = json.loads(first)
        except ValueError as problem:
            raise ValueError(f"{path} is not a file of the simulator") from problem
        if not isinstance(found, list) or len(found) != _PARTS:
            raise ValueError(f"{path} is not a file of the simulator")
    Journal(path).close()  # last: it leaves a file beside, which somebody else's file shall not get
