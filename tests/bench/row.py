"""A row of the comparison: who texts, how a text is sent, which processes work for it, and where its histories are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.bench import cpu, load
from tests.bench.crowd import Crowd, Exchange, Send
from tests.bench.histories import Window

# After the last answer a turn still writes memory and its last events; all of that belongs to the measured texts.
SETTLE = 1.0

# The process that runs all this. What it uses, the measured processes of two busy cores do not get.
DRIVER = "this driver"


@dataclass(slots=True, kw_only=True)
class Row:
    """`pids` by the name under which the table shows a process. Everything measured is summed over the rounds."""

    crowd: Crowd
    send: Send
    pids: Mapping[str, int]
    workflow: str
    quiet: list[Exchange] = field(default_factory=list)
    busy: list[Exchange] = field(default_factory=list)
    busy_seconds: float = 0.0
    milliseconds: dict[str, float] = field(default_factory=dict)
    idle: dict[str, float] = field(default_factory=dict)
    quiet_windows: list[Window] = field(default_factory=list)
    busy_windows: list[Window] = field(default_factory=list)

    async def rest(self, *, seconds: float) -> None:
        """Nobody texts: what it costs, in milliseconds a second."""
        before = cpu.read(self.pids)
        await asyncio.sleep(seconds)
        self.idle = {name: used / seconds for name, used in cpu.used(before, cpu.read(self.pids)).items()}

    async def pace(self, *, rate: float, seconds: float) -> None:
        """One round at a quiet pace."""
        start = datetime.now(UTC)
        self.quiet += await load.paced(self.crowd, self.send, rate=rate, seconds=seconds)
        await asyncio.sleep(SETTLE)
        self.quiet_windows.append(Window(start, datetime.now(UTC)))

    async def saturate(self, *, messages: int) -> None:
        """One round closed loop."""
        start, since, before = datetime.now(UTC), time.monotonic(), self._cpu()
        self.busy += await load.saturated(self.crowd, self.send, messages=messages)
        self.busy_seconds += time.monotonic() - since
        await asyncio.sleep(SETTLE)
        for name, used in cpu.used(before, self._cpu()).items():
            self.milliseconds[name] = self.milliseconds.get(name, 0.0) + used
        self.busy_windows.append(Window(start, datetime.now(UTC)))

    def _cpu(self) -> dict[str, float]:
        return cpu.read(self.pids) | {DRIVER: time.process_time() * 1000}
