"""One run: both rows on one server, taking turns so that the machine's moods meet both."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from tests.bench import histories, limit, load, ours
from tests.bench.histories import Tallies
from tests.bench.row import Row

# Seconds; long enough against the 10 ms in which the kernel counts.
REST = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`messages` closed-loop texts a row, from `people` at once; `seconds` of texts at `rate` a second a row."""

    messages: int = 320
    people: int = 16
    rate: float = 5.0
    seconds: float = 16.0
    rounds: int = 2
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A row, and what its histories say."""

    row: Row
    tallies: Tallies


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Both rows; `faults` is empty if every text was answered exactly once, in order."""

    ours: Measured
    bare: Measured
    faults: list[str]


async def run(options: Options, tell: Callable[[str], None]) -> Result:
    """Start everything, measure, stop everything."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="messaging-bench-")))
        # No .env of the current folder has a say.
        stack.enter_context(contextlib.chdir(folder))
        tell("starting the stack")
        found = await stack.enter_async_context(ours.opened(folder, people=options.people, seed=options.seed))
        client = await Client.connect(found.temporal)
        beside = limit.opened(folder, client, found, people=options.people, seed=options.seed)
        rows = (found.row, await stack.enter_async_context(beside))
        for row in rows:
            tell(f"{row.crowd.name}: the first texts")
            await load.greet(row.crowd, row.send)
        await found.row.rest(seconds=REST)
        await _take_turns(rows, options, tell)
        tell("reading the histories")
        measured = [await _read(client, row) for row in rows]
        tell("stopping")
    faults = [fault for row in rows for fault in row.crowd.faults()]
    return Result(ours=measured[0], bare=measured[1], faults=faults)


async def _read(client: Client, row: Row) -> Measured:
    tallies = await histories.tally(client, row.workflow, quiet=row.quiet_windows, busy=row.busy_windows)
    return Measured(row=row, tallies=tallies)


async def _take_turns(rows: tuple[Row, ...], options: Options, tell: Callable[[str], None]) -> None:
    for number in range(options.rounds):
        of = f"round {number + 1} of {options.rounds}"
        for row in rows:
            tell(f"{row.crowd.name}: quiet, {of}")
            await row.pace(rate=options.rate, seconds=options.seconds / options.rounds)
        for row in rows:
            tell(f"{row.crowd.name}: saturated, {of}")
            await row.saturate(messages=options.messages // options.rounds)
