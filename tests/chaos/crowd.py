"""The people who text through the simulator, and what can be seen there of how their texts were taken."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import suppress
from typing import Any

import httpx

from tests.bench.tag import Tag
from tests.chaos.ground import Ground
from tests.chaos.schedule import Text, phone
from tests.chaos.verdict import Hearing, Verdict, judge, seconds
from tests.support.ports import eventually

# The simulator's own record of webhooks begins anew when it is killed, so it is read often.
_LOOK = 0.25


class Crowd:
    """Each person writes one text after the other; who finds the provider dead looks whether the text went through."""

    def __init__(self, ground: Ground, *, area: int = 19) -> None:
        self._ground = ground
        self._area = area
        self._lines: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._after = 0
        self.people: set[int] = set()
        self.heard: defaultdict[str, Hearing] = defaultdict(Hearing)

    async def text(self, text: Text) -> None:
        """Returns when the provider has it."""
        person = text.tag.person
        self.people.add(person)
        async with self._lines[person]:
            while not await self._sent(text):
                pass

    async def _sent(self, text: Text) -> bool:
        message = {"from": phone(text.tag.person, self._area), "body": text.body, "channel": text.channel}
        try:
            await self._ground.sim("POST", "inbound", json=message)
        except httpx.HTTPError:
            return await eventually(lambda: self._has(text.tag), within=120) == "yes"
        return True

    async def _has(self, tag: Tag) -> str:
        rows = await self._ground.messages(phone(tag.person, self._area))
        there = any(str(tag) in row["body"].split() for row in rows if row["direction"] == "inbound")
        return "yes" if there else "no"

    async def listen(self) -> None:
        """Note how each text is taken, until cancelled."""
        while True:
            with suppress(httpx.HTTPError):
                lines = (await self._ground.sim("GET", "transcript", params={"after": self._after})).text.splitlines()
                for line in lines:
                    self._note(json.loads(line))
            await asyncio.sleep(_LOOK)

    def _note(self, record: dict[str, Any]) -> None:
        self._after = record["id"]
        if record["kind"] != "webhook" or record["event"] != "message":
            return
        hearing, at = self.heard[record["subject"]], seconds(record["at"])
        began = at - (record["ms"] or 0) / 1000
        hearing.tried = min(began, hearing.tried or began)
        if record["status"] is not None and record["status"] < 300:
            hearing.taken = min(at, hearing.taken or at)

    async def verdict(self, *, unseen: list[tuple[float, float]] | None = None) -> Verdict:
        """Of what the provider's record holds now. `unseen` are times of which it cannot say how texts were taken."""
        rows = [row for person in sorted(self.people) for row in await self._ground.messages(phone(person, self._area))]
        heard = {
            row["sid"]: self.heard[row["sid"]]
            for row in rows
            if not any(start <= seconds(row["created"]) <= end for start, end in unseen or ())
        }
        return judge(rows, heard)

    async def answered(self, *, within: float, **options: Any) -> Verdict:
        """The verdict once nothing is missing, or after `within` seconds."""

        async def look() -> bool:
            return not (await self.verdict(**options)).lost

        with suppress(AssertionError):
            await eventually(look, within=within, every=1.0)
        return await self.verdict(**options)
