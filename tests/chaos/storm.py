"""Random faults under a steady load of texts, for a time and by a seed; then all must have been answered once."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.chaos import schedule
from tests.chaos.crowd import Crowd
from tests.chaos.ground import THIRD, Ground, settled
from tests.chaos.schedule import Fault
from tests.chaos.verdict import Verdict

# What a provider that was killed has not told us of how it delivered, in seconds around its death.
_BLIND = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`seconds` of it, `rate` texts a second from `people`, a fault about `every` seconds."""

    seed: int = 7
    seconds: float = 1800.0
    rate: float = 5.0
    people: int = 200
    every: float = 8.0
    patience: float = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A fault as it came to pass, in seconds of the epoch: until `ended`, what it struck was away."""

    fault: Fault
    began: float
    ended: float


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it. `died` are processes that ended without being struck, `failed_starts` did not come up at first.

    `recovered` texts were brought by a sweep at the end; `states` and `unaccounted` are the word of `messaging ledger`.
    """

    options: Options
    verdict: Verdict
    struck: list[Struck]
    died: list[str]
    seconds: float
    drained: bool = True
    recovered: int = 0
    unaccounted: list[Any] = field(default_factory=list)
    failed_starts: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)

    @property
    def wrong(self) -> list[str]:
        """What must not be, a sentence each."""
        found = list(self.verdict.wrong)
        found += [f"ended by itself: {name}" for name in self.died]
        if self.unaccounted:
            found.append(f"unaccounted for in the ledger: {len(self.unaccounted)}")
        if (told := sum(self.states.values())) < self.verdict.texts:
            found.append(f"the ledger knows of {told} texts only")
        return found if self.drained else [*found, "the spool, or the provider's webhooks, did not run empty"]

    def recoveries(self, kind: str) -> list[float]:
        """For each fault of a kind: seconds from its blow until all is answered that waited then or came meanwhile."""
        return [
            seconds for one in self.struck if one.fault.kind == kind if (seconds := self._recovery(one)) is not None
        ]

    def _recovery(self, one: Struck) -> float | None:
        waits = self.verdict.waited
        answered = [at + waits[tag] for tag, at in self.verdict.sent.items() if tag in waits and at <= one.ended]
        waited = [at for at in answered if at > one.began]
        return max(waited) - one.began if waited else None


class Storm:
    """One run."""

    def __init__(self, ground: Ground, options: Options) -> None:
        self._ground = ground
        self._options = options
        self._crowd = Crowd(ground)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._struck: list[Struck] = []
        self._down: set[str] = set()
        self._died: list[str] = []

    async def run(self) -> Outcome:
        """All of it, to the end."""
        # Providers list by the second.
        began, since = time.monotonic(), datetime.now(UTC).replace(microsecond=0)
        watching = [asyncio.create_task(self._crowd.listen()), asyncio.create_task(self._watch())]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._text(began))
                group.create_task(self._strike_all(began))
            self._down.update(self._ground.services)  # from here on they are mended, not watched
            await self._ground.mend()
            drained = await self._is_drained()
            swept = await self._ground.command("sweep", "--since", since.isoformat(), "--until", _now())
            verdict = await self._crowd.answered(within=self._options.patience, unseen=self._blind())
            ledger = await self._ground.command("ledger", "--since", since.isoformat(), "--until", _now())
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        return Outcome(
            options=self._options,
            verdict=verdict,
            struck=sorted(self._struck, key=lambda one: one.began),
            died=self._died,
            seconds=time.monotonic() - began,
            drained=drained,
            recovered=sum(swept["recovered"].values()),
            unaccounted=ledger["unaccounted"],
            states=ledger["states"],
            failed_starts=self._ground.failed_starts,
        )

    async def _is_drained(self) -> bool:
        try:
            await settled(self._ground, within=self._options.patience)
        except AssertionError:
            return False
        return True

    async def _text(self, began: float) -> None:
        options = self._options
        texts = schedule.texts(options.seed, seconds=options.seconds, rate=options.rate, people=options.people)
        async with asyncio.TaskGroup() as group:
            for text in texts:
                await asyncio.sleep(began + text.at - time.monotonic())
                group.create_task(self._crowd.text(text))

    async def _strike_all(self, began: float) -> None:
        options = self._options
        async with asyncio.TaskGroup() as group:
            for fault in schedule.faults(options.seed, seconds=options.seconds, every=options.every):
                await asyncio.sleep(began + fault.at - time.monotonic())
                group.create_task(self._strike(fault))

    async def _strike(self, fault: Fault) -> None:
        async with self._locks[fault.group]:
            began = time.time()
            if fault.kind in schedule.PROVIDER:
                await self._arm(fault)
            else:
                await self._hit(fault)
            self._struck.append(Struck(fault=fault, began=began, ended=time.time()))

    async def _arm(self, fault: Fault) -> None:
        _, fields = schedule.PROVIDER[fault.kind]
        while True:
            with suppress(httpx.HTTPError):
                await self._ground.sim("POST", "faults", json={**fields, "times": fault.times})
                return
            await asyncio.sleep(0.2)

    async def _hit(self, fault: Fault) -> None:
        names = schedule.MEMBERS.get(fault.target, (fault.target,))
        self._down.update(names)
        try:
            if fault.kind.endswith("still"):
                self._ground.still(fault.target)
                await asyncio.sleep(fault.lasts)
                self._ground.wake(fault.target)
                return
            for name in names:
                await (self._ground.stop if fault.kind.endswith("stopped") else self._ground.kill)(name)
            await asyncio.sleep(fault.lasts)
            await asyncio.gather(*(self._ground.start(name) for name in names))
        finally:
            self._down.difference_update(names)

    async def _watch(self) -> None:
        """Whatever ends without being struck is a finding; it is started again, as a supervisor would."""
        while True:
            for name in self._ground.services:
                if name in self._down or name == THIRD or self._ground.runs(name):
                    continue
                self._died.append(name)
                self._down.add(name)
                await self._ground.start(name)
                self._down.discard(name)
            await asyncio.sleep(0.5)

    def _blind(self) -> list[tuple[float, float]]:
        kills = [one for one in self._struck if one.fault.target == "simulator"]
        return [(one.began - _BLIND, one.ended + _BLIND) for one in kills]


def _now() -> str:
    return datetime.now(UTC).isoformat()
