"""One timer for all deadlines of a conversation.

Whoever waits for a time waits for a condition on `workflow.now()`. This only sees to it that the workflow wakes up at
the next deadline there is. When a deadline moves away, the timer stays, and looks again when it fires.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from temporalio import workflow

from workflows.length import TIMER, count


class Alarm:
    """Wakes the workflow at the next of the times that `deadlines` gives; those that have passed do not count."""

    def __init__(self, deadlines: Callable[[], Iterable[datetime]]) -> None:
        self._deadlines = deadlines

    async def keep(self, ended: Callable[[], bool]) -> None:
        """Until cancelled; `ended` says so too, since a cancellation is lost on a timer that has just fired."""
        while not ended():
            await workflow.wait_condition(lambda: self._next() is not None)
            at = self._next()
            if at is None:
                continue
            count(TIMER)
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(
                    partial(self._is_sooner, at), timeout=at - workflow.now(), timeout_summary="next deadline"
                )

    def _next(self) -> datetime | None:
        now = workflow.now()
        return min((at for at in self._deadlines() if at > now), default=None)

    def _is_sooner(self, at: datetime) -> bool:
        upcoming = self._next()
        return upcoming is not None and upcoming < at
