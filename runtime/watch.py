"""Whether something has changed, for any number of listeners with one look at a time: none where nobody listens."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

import structlog

from runtime.directory import UnknownConversation
from runtime.temporal import TemporalUnreachable, is_unreachable

log = structlog.get_logger(__name__)

K = TypeVar("K", bound=Hashable)

# What is told instead of a version.
AWAY, GONE = "away", "gone"


class TooMany(Exception):
    """No more listeners fit into this process."""


@dataclass(slots=True)
class _Looking:
    version: str = ""
    task: asyncio.Task[None] | None = None
    listeners: list[asyncio.Event] = field(default_factory=list)


class Watch(Generic[K]):
    """Asks `look` for the version of a thing every so often, as long as somebody follows that thing."""

    def __init__(self, look: Callable[[K], Awaitable[str]], *, every: timedelta, most: int = 200) -> None:
        self._look = look
        self._every = every.total_seconds()
        self._most = most
        self._things: dict[K, _Looking] = {}

    @asynccontextmanager
    async def following(self, thing: K, news: asyncio.Event) -> AsyncIterator[Callable[[], str]]:
        """Set `news` whenever the version changes, inside; the result tells it, empty before the first look.

        Raises:
            TooMany
        """
        if sum(len(looking.listeners) for looking in self._things.values()) >= self._most:
            raise TooMany
        looking = self._things.setdefault(thing, _Looking())
        looking.listeners.append(news)
        if looking.task is None:
            # Of nobody's request, so that the looks of hours are not in the trace of who came first.
            own = contextvars.Context()
            looking.task = asyncio.create_task(self._keep_looking(thing, looking), context=own)
        try:
            yield lambda: looking.version
        finally:
            looking.listeners.remove(news)
            if not looking.listeners:
                self._things.pop(thing, None)
                looking.task.cancel()
                await asyncio.gather(looking.task, return_exceptions=True)

    @property
    def things(self) -> int:
        """How many are looked at."""
        return len(self._things)

    async def _keep_looking(self, thing: K, looking: _Looking) -> None:
        while True:
            version = await self._version(thing)
            if version != looking.version:
                looking.version = version
                for news in looking.listeners:
                    news.set()
            await asyncio.sleep(self._every)

    async def _version(self, thing: K) -> str:
        try:
            return await self._look(thing)
        except UnknownConversation:
            return GONE
        except Exception as error:
            if not isinstance(error, TemporalUnreachable) and not is_unreachable(error):
                # Whoever follows is shown an error's page when they look themselves; the next look may succeed.
                log.exception("a look failed")
            return AWAY
