"""A named case of the fault table, and the person on whom it is tried."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.bench.process import ROOT
from tests.chaos import schedule
from tests.chaos.ground import Ground
from tests.chaos.verdict import seconds
from tests.support.ports import eventually

Run = Callable[[Ground], Awaitable[str]]

# How long a second answer is waited for, once there is one: a look at the provider and a resend take less.
QUIET = 3.0
# How long an answer may take on a busy machine with everything restarted; longer counts as none.
PATIENCE = 120.0

_NUMBERS = count(1)


class Broken(AssertionError):
    """A promise that was not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`line` is the fault table's, `run` returns what it measured. A `quick` one is part of `make test`."""

    name: str
    line: str
    run: Run
    quick: bool = False


def must(held: object, otherwise: str) -> None:
    """Raises Broken."""
    if not held:
        raise Broken(otherwise)


@dataclass(slots=True)
class Person:
    """Somebody with a phone of their own."""

    ground: Ground
    phone: str = field(default_factory=lambda: schedule.phone(next(_NUMBERS), 18))

    async def text(self, body: str, *, channel: str = "sms", **more: Any) -> None:
        """By the simulator's phone."""
        await self.ground.sim("POST", "inbound", json={"from": self.phone, "body": body, "channel": channel, **more})

    async def rows(self) -> list[dict[str, Any]]:
        """What we sent to this phone. What the simulator itself says, as Twilio does after STOP, is not ours."""
        rows = await self.ground.messages(self.phone)
        return [row for row in rows if row["direction"] == "outbound-api"]

    async def answers(self) -> list[str]:
        return [row["body"] for row in await self.rows()]

    async def wait(self, number: int = 1, *, within: float = PATIENCE) -> list[str]:
        """At least so many answers."""

        async def look() -> list[str]:
            found = await self.answers()
            return found if len(found) >= number else []

        try:
            return await eventually(look, within=within)
        except AssertionError:
            raise Broken(f"{number} answers expected; there are {await self.answers()}") from None

    async def only(self, *expected: str, within: float = PATIENCE) -> float:
        """Exactly these answers, and no other within a while; seconds from the first text to the first answer."""
        await self.wait(len(expected), within=within)
        await asyncio.sleep(QUIET)
        found = await self.answers()
        must(found == list(expected), f"{list(expected)} expected; there are {found}")
        return await self.waited()

    async def waited(self) -> float:
        """Seconds from this phone's first text to its first answer."""
        rows = await self.ground.messages(self.phone)
        texted = [row for row in rows if row["direction"] == "inbound"]
        return seconds((await self.rows())[0]["created"]) - seconds(texted[0]["created"]) if texted else 0.0

    async def ask(self, body: str, **more: Any) -> str:
        """Text, and wait for the answer."""
        before = len(await self.answers())
        await self.text(body, **more)
        return (await self.wait(before + 1))[-1]

    async def conversation(self) -> dict[str, Any]:
        return await self.ground.conversation(self.phone)

    async def last_turn(self, number: int = 1) -> dict[str, Any]:
        """The record of the latest turn, once it is this one."""

        async def look() -> dict[str, Any] | None:
            found = await self.ground.rest("GET", f"{(await self.conversation())['id']}/last-turn")
            return found if found and found["number"] >= number else None

        found = await eventually(look, within=PATIENCE)
        assert found is not None
        return found


def held_by(*nodes: str) -> Run:
    """A line that tests hold which need no processes of ours: they are run as they are."""

    async def run(_: Ground) -> str:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pytest", "-q", "-x", *nodes),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            told, _err = await process.communicate()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        lines = told.decode(errors="replace").strip().splitlines()
        must(process.returncode == 0, "\n".join(lines[-15:]))
        return f"{lines[-1] if lines else ''} ({time.monotonic() - began:.0f} s)"

    return run
