"""What runs beside the main loop and must have ended before a run does: nothing may follow the command that ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Companions:
    """Tasks that are cancelled together.

    A cancellation can be lost: when what a task waits for completes in the same moment, the wait returns as if nothing
    had been. So a task that loops must also look at `are_ended`, or the run would wait for it for ever.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = False

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it beside."""
        self._tasks.append(asyncio.create_task(work))

    def are_ended(self) -> bool:
        """Whether they are to end."""
        return self._ended

    async def end(self) -> None:
        """End all of them, and wait until they have."""
        self._ended = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
