"""`messaging dev` as a user starts it, and a phone to text with."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
READY = 120.0


@dataclass(slots=True)
class Stack:
    """A running `messaging dev`."""

    urls: dict[str, Any]
    data: Path
    process: subprocess.Popen[str] = field(repr=False)

    @property
    def pids(self) -> dict[str, int]:
        """Of now: a process that died was started again under another id."""
        pids: dict[str, int] = json.loads((self.data / "dev.json").read_text())["pids"]
        return pids

    def kill(self, name: str) -> None:
        os.kill(self.pids[name], signal.SIGKILL)

    def log(self, name: str) -> str:
        return (self.data / "logs" / f"{name}.log").read_text(errors="replace")


@contextmanager
def running(data: Path, *, options: tuple[str, ...] = (), **environment: str) -> Iterator[Stack]:
    """Start it on free ports, and stop it as a user does."""
    command = [sys.executable, "-m", "cli", "dev", "--json", "--data-dir", str(data), *options]
    for name in ("api", "temporal", "ui", "simulator"):
        command += [f"--{name}-port", "0"]
    ours = ("TWILIO_", "TEMPORAL_", "QDRANT_", "MESSAGING_", "PUBLIC_URL", "OTEL_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    data.mkdir(parents=True, exist_ok=True)
    with (data / "dev.log").open("a") as log:
        process = subprocess.Popen(
            command,
            cwd=data,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**clean, **environment, "PYTHONPATH": str(ROOT)},
        )
    try:
        yield Stack(urls=_first_line(process, data), data=data, process=process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


def _first_line(process: subprocess.Popen[str], data: Path) -> dict[str, Any]:
    assert process.stdout is not None
    deadline = time.monotonic() + READY
    line = process.stdout.readline()
    if not line or time.monotonic() > deadline:
        process.wait(timeout=60)
        raise AssertionError((data / "dev.log").read_text())
    found: dict[str, Any] = json.loads(line)
    return found


@dataclass(slots=True)
class Phone:
    """One person's phone on the simulator."""

    stack: Stack
    number: str
    http: httpx.AsyncClient

    async def text(self, body: str, *, channel: str = "sms") -> None:
        message = {"from": self.number, "body": body, "channel": channel}
        (await self.http.post(f"{self.stack.urls['simulator']}/_sim/inbound", json=message)).raise_for_status()

    async def messages(self) -> list[dict[str, Any]]:
        """Everything to and from this phone, oldest first."""
        answer = await self.http.get(
            f"{self.stack.urls['simulator']}/_sim/messages", params={"phone": self.number, "limit": 1000}
        )
        found = answer.raise_for_status().json()
        rows: list[dict[str, Any]] = found["messages"] if isinstance(found, dict) else found
        return sorted(rows, key=lambda row: row["created"])

    async def answers(self) -> list[str]:
        """What this phone was sent, in order."""
        return [row["body"] for row in await self.messages() if row["direction"].startswith("outbound")]

    async def ask(self, body: str, *, channel: str = "sms", within: float = 60.0) -> str:
        """Text, and wait for the one answer."""
        before = len(await self.answers())
        await self.text(body, channel=channel)
        return (await self.wait(before + 1, within=within))[-1]

    async def wait(self, count: int, *, within: float = 60.0) -> list[str]:
        """All answers, once there are `count`."""
        deadline = asyncio.get_running_loop().time() + within
        while len(answers := await self.answers()) < count:
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{count} answers not within {within} s; there are {answers}")
            await asyncio.sleep(0.1)
        return answers
