"""One timer for all deadlines of a conversation.

Whoever waits for a time waits for a condition on `workflow.now()`. This only sees to it that the workflow wakes up at
the next deadline there is. When a deadline moves away, the timer stays, and looks again when it fires. A sooner one
takes its place, or stands beside it while it cannot safely be cancelled: see ADR 0010.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from temporalio import workflow

from workflows.length import TIMER, Length, count


@dataclass(frozen=True, slots=True)
class _Timer:
    """One that runs. `heard` is what had come in when it was set."""

    task: asyncio.Task[None]
    heard: int


class Alarm:
    """Wakes the workflow at the next of the times that `deadlines` gives; those that have passed do not count.

    `cancels` is for runs that were begun by the code that did.
    """

    def __init__(self, deadlines: Callable[[], Iterable[datetime]], length: Length, *, cancels: bool) -> None:
        self._deadlines = deadlines
        self._length = length
        self._cancels = cancels
        self._set: dict[datetime, _Timer] = {}

    async def keep(self, ended: Callable[[], bool]) -> None:
        """Until `ended` says so."""
        while not ended():
            await workflow.wait_condition(lambda: ended() or self._next() is not None)
            at = self._next()
            if at is None or ended():
                continue
            if self._cancels:
                await self._keep_one(at)
                continue
            self._let_go()
            self._set[at] = _Timer(asyncio.create_task(self._wake(at)), self._length.heard)
            await workflow.wait_condition(lambda: ended() or self._is_sooner(min(self._set, default=None)))

    async def _wake(self, at: datetime) -> None:
        count(TIMER)
        await workflow.sleep(at - workflow.now(), summary="next deadline")
        del self._set[at]

    def _let_go(self) -> None:
        """Cancel the timers that a sooner one makes needless, where history tells that they were set before."""
        for at, timer in list(self._set.items()):
            if self._length.heard > timer.heard:
                timer.task.cancel()
                del self._set[at]

    async def _keep_one(self, at: datetime) -> None:
        count(TIMER)
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                partial(self._is_sooner, at), timeout=at - workflow.now(), timeout_summary="next deadline"
            )

    def _next(self) -> datetime | None:
        now = workflow.now()
        return min((at for at in self._deadlines() if at > now), default=None)

    def _is_sooner(self, at: datetime | None) -> bool:
        upcoming = self._next()
        return upcoming is not None and (at is None or upcoming < at)
