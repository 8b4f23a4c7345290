"""Many tasks at once: all errors collected, all durations kept."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Generic[T]):
    """What came of a run. Durations are in seconds, of the tasks that ended well; `seconds` is of the whole run."""

    results: tuple[T, ...]
    errors: tuple[BaseException, ...]
    durations: tuple[float, ...]
    seconds: float

    @property
    def throughput(self) -> float:
        """Tasks that ended well, a second."""
        return len(self.results) / self.seconds if self.seconds else 0.0

    def percentile(self, percent: float) -> float:
        """The duration that `percent` of the good tasks did not exceed (nearest rank); 0 when there was none.

        Raises:
            ValueError: not from 0 to 100.
        """
        if not 0 <= percent <= 100:  # noqa: PLR2004 - per cent
            raise ValueError("percent: 0 to 100 expected")
        if not self.durations:
            return 0.0
        ranked = sorted(self.durations)
        return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


async def run_concurrently(
    task: Callable[[int], Awaitable[T]], *, count: int, concurrency: int | None = None, within: float
) -> Report[T]:
    """Run `task(0)` to `task(count - 1)`.

    Args:
        concurrency: How many at once; by default all.
        within: Seconds for the whole run. What has not ended by then is cancelled and counts as a TimeoutError.

    Raises:
        ValueError: `concurrency` is below 1.
    """
    if concurrency is not None and concurrency < 1:
        raise ValueError("concurrency: at least 1 expected")
    gate = asyncio.Semaphore(concurrency or max(count, 1))
    results: list[T] = []
    durations: list[float] = []
    failures: list[BaseException] = []

    late: set[int] = set()

    async def one(number: int) -> None:
        async with gate:
            started = time.perf_counter()
            try:
                result = await task(number)
            except (Exception, asyncio.CancelledError) as failure:
                if number not in late:
                    failures.append(failure)
                    return
                raise
            if number not in late:
                results.append(result)
                durations.append(time.perf_counter() - started)

    began = time.perf_counter()
    running = [asyncio.create_task(one(number)) for number in range(count)]
    try:
        if running:
            await asyncio.wait(running, timeout=within)
    finally:
        late.update(number for number, task_of in enumerate(running) if not task_of.done())
        for number in late:
            running[number].cancel()
        await asyncio.gather(*running, return_exceptions=True)
    seconds = time.perf_counter() - began
    failures += [TimeoutError(f"not within {within:g} s") for _ in late]
    return Report(results=tuple(results), errors=tuple(failures), durations=tuple(durations), seconds=seconds)
