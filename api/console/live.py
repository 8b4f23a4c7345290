"""Server-sent events: not what is new, only that something is, so that a page fetches itself and shows it.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.console.inbox import Asked
from runtime.inbox import Wanted
from runtime.ingress import Ingress
from runtime.pulse import feel
from runtime.watch import AWAY, TooMany, Watch

router = APIRouter(prefix="/console", include_in_schema=False)

# Two looks at a conversation ask only Temporal's server; a page of the inbox is up to 25 of them.
TALK, LIST = timedelta(seconds=1), timedelta(seconds=2)

# Then the browser comes again, and whether it still may is asked anew.
_LASTS = timedelta(minutes=10)
_AGAIN = 2_000  # milliseconds until a browser tries to connect again


@dataclass(frozen=True, slots=True)
class Watches:
    """What the pages of this process follow."""

    talks: Watch[str]
    lists: Watch[Wanted]
    ended: asyncio.Event

    @classmethod
    def of(cls, ingress: Ingress) -> Watches:
        """Nothing is looked at before somebody follows it."""

        async def talk(conversation_id: str) -> str:
            return (await feel(ingress.client, conversation_id)).version

        async def listed(wanted: Wanted) -> str:
            return (await ingress.inbox.page(wanted)).version

        return cls(Watch(talk, every=TALK), Watch(listed, every=LIST), asyncio.Event())


@router.get("/live", response_class=EventSourceResponse)
async def live(
    request: Request,
    asked: Asked,
    talk: Annotated[str | None, Query(max_length=256)] = None,
    seen: Annotated[str, Query(max_length=64)] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Tell when the list, or the conversation `talk`, is another than `seen`: its version as the page has it."""
    watches: Watches = request.app.state.watches
    news = asyncio.Event()
    async with AsyncExitStack() as stack:
        try:
            versions = [await stack.enter_async_context(watches.lists.following(asked, news))]
            if talk is not None:
                versions.append(await stack.enter_async_context(watches.talks.following(talk, news)))
        except TooMany:
            yield ServerSentEvent(event="full", raw_data="later", retry=_AGAIN * 10)
            return
        yield ServerSentEvent(comment="here", retry=_AGAIN)
        async for version in _changes(versions, news, watches.ended, seen):
            yield ServerSentEvent(event="away" if AWAY in version else "change", raw_data=version)


async def _changes(
    versions: list[Callable[[], str]], news: asyncio.Event, ended: asyncio.Event, seen: str
) -> AsyncIterator[str]:
    """Each version of all together that is another than the one before."""
    ending = asyncio.create_task(ended.wait())
    until = asyncio.get_running_loop().time() + _LASTS.total_seconds()
    try:
        while not ended.is_set() and (left := until - asyncio.get_running_loop().time()) > 0:
            news.clear()
            parts = [version() for version in versions]
            if all(parts) and (version := " ".join(parts)) != seen:
                seen = version
                yield version
            waiting = asyncio.create_task(news.wait())
            try:
                await asyncio.wait({waiting, ending}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
    finally:
        ending.cancel()
