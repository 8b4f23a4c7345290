"""What runs beside the main loop, and must end before a run does: nothing may follow the command that ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Companions:
    """Tasks that end together. Each looks at `are_ended` whenever it goes on, and then does nothing more.

    What they wait for by then, a timer or an activity, is left to itself, and ends with the run: see ADR 0010.
    `cancels` is for runs that were begun by the code that cancelled it.
    """

    def __init__(self, *, cancels: bool) -> None:
        self._cancels = cancels
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = False

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it beside."""
        self._tasks.append(asyncio.create_task(work))

    def are_ended(self) -> bool:
        """Whether they are to end."""
        return self._ended

    async def end(self) -> None:
        """End all of them."""
        self._ended = True
        if self._cancels:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
