"""`python -m memory.embedded --path DIR --port N`: the embedded Qdrant as a process, until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from memory.embedded.app import create_app


class _Server(uvicorn.Server):
    """Says on standard output, in one line of JSON, that it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ready:
            sys.stdout.write(f"{self._ready}\n")
            sys.stdout.flush()


def main() -> int:
    given = _parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server takes them over while it runs and raises them again when all is closed.
        signal.signal(number, _end)
    if not (given.open or _is_loopback(given.host)):
        sys.stderr.write("qdrant: --host: other machines would read and write without a key; --open lets them in\n")
        return 2
    with socket.socket(socket.AF_INET6 if ":" in given.host else socket.AF_INET) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((given.host, given.port))
            app = create_app(given.path)
        except (OSError, OverflowError, RuntimeError) as error:
            sys.stderr.write(f"qdrant: {error} (--host {given.host} --port {given.port} --path {given.path})\n")
            return 1
        host = f"[{given.host}]" if ":" in given.host else given.host
        ready = {"qdrant": f"http://{host}:{bound.getsockname()[1]}", "path": str(given.path), "pid": os.getpid()}
        config = uvicorn.Config(app, access_log=False, log_level="warning", timeout_graceful_shutdown=2)
        _Server(config, json.dumps(ready) if given.json else "").run(sockets=[bound])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m memory.embedded", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="the data directory")
    parser.add_argument("--port", type=int, default=6333, help="default: Qdrant's own, 6333; 0 for a free one")
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine only; another needs --open")
    parser.add_argument("--open", action="store_true", help="let other machines in: there is no authentication")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when it is ready")
    return parser


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _end(_: int, __: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
