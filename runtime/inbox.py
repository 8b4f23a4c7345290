"""The inbox: which conversations want somebody, a page at a time, each with a glance at where it stands."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from runtime.directory import ConversationSummary, Directory, NoWorker, UnknownConversation
from runtime.filter import Filter
from runtime.pulse import Pulse, feel
from runtime.temporal import TemporalUnreachable
from workflows.glance import Glance

PAGE = 25

# Questions to conversations at one time. Each is a workflow task: more would only queue at the workers.
_AT_ONCE = 8

# Glances that a process keeps: some tens of pages of half a kilobyte a row.
_KNOWN = 1_000

# Seconds for all glances of a page together. A list without some of them is better than none.
_PATIENCE = 2.0


class Shelf(StrEnum):
    """Which conversations are shown."""

    ALL = "all"
    WAITING = "waiting"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    HELD = "held"
    MINE = "mine"
    CLOSED = "closed"


_FILTERS: Mapping[Shelf, Filter] = {
    Shelf.ALL: Filter(),
    Shelf.WAITING: Filter(state="waiting"),
    Shelf.FAILED: Filter(trouble="failed"),
    Shelf.UNCERTAIN: Filter(trouble="uncertain"),
    Shelf.HELD: Filter(state="held"),
    Shelf.MINE: Filter(),
    Shelf.CLOSED: Filter(state="closed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A shelf as somebody sees it: `me` is whose "mine" is. `contact`, `assignee` and the beginning of
    an id narrow it down."""

    shelf: Shelf = Shelf.ALL
    me: str = ""
    contact: str | None = None
    assignee: str | None = None
    prefix: str | None = None
    cursor: str | None = None

    @property
    def filter(self) -> Filter:
        """As the directory lists it."""
        mine = self.me if self.shelf is Shelf.MINE else None
        return replace(_FILTERS[self.shelf], contact=self.contact, assignee=mine or self.assignee, prefix=self.prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One conversation. `glance` is None where it is closed, or did not answer in time."""

    summary: ConversationSummary
    glance: Glance | None = None

    @property
    def at(self) -> datetime:
        """When something last happened."""
        return self.glance.updated_at if self.glance else self.summary.updated_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of the inbox. `version` is another when anything on it is; `counts` are of the shelves that ask for
    somebody."""

    rows: tuple[Row, ...]
    next_cursor: str | None
    counts: Mapping[Shelf, int]

    @property
    def version(self) -> str:
        """Of what is shown."""
        shown = repr((self.rows, sorted(self.counts.items()), self.next_cursor is None))
        return hashlib.blake2b(shown.encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class Inbox:
    """Lists conversations and looks at each. A conversation is asked only when its pulse says that something happened:
    taking the pulse costs no worker."""

    directory: Directory
    _known: dict[str, tuple[Pulse, Glance]] = field(default_factory=dict)

    async def page(self, wanted: Wanted) -> Listed:
        """At most `PAGE` of them, the latest first.

        Raises:
            InvalidCursor, TemporalUnreachable
        """
        found, counts = await asyncio.gather(
            self.directory.list(wanted.filter, limit=PAGE, cursor=wanted.cursor), self.counts(wanted.me)
        )
        glances = await self._glances([summary for summary in found.items if summary.state != "closed"])
        rows = [Row(summary=summary, glance=glances.get(summary.id)) for summary in found.items]
        rows.sort(key=lambda row: row.at, reverse=True)
        return Listed(rows=tuple(rows), next_cursor=found.next_cursor, counts=counts)

    async def counts(self, me: str) -> Mapping[Shelf, int]:
        """How many there are on each shelf that asks for somebody.

        Raises:
            TemporalUnreachable
        """
        shelves = [shelf for shelf in Shelf if shelf not in {Shelf.ALL, Shelf.CLOSED}]
        filters = [Wanted(shelf=shelf, me=me).filter for shelf in shelves]
        found = await asyncio.gather(*(self.directory.count(wanted) for wanted in filters))
        return dict(zip(shelves, found, strict=True))

    async def _glances(self, summaries: list[ConversationSummary]) -> dict[str, Glance]:
        free, found = asyncio.Semaphore(_AT_ONCE), dict[str, Glance]()

        async def look(summary: ConversationSummary) -> None:
            async with free:
                with contextlib.suppress(UnknownConversation, NoWorker, TemporalUnreachable):
                    found[summary.id] = await self._glance(summary.id)

        looking = [asyncio.create_task(look(summary)) for summary in summaries]
        if looking:
            _, late = await asyncio.wait(looking, timeout=_PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*looking, return_exceptions=True)
        return found

    async def _glance(self, conversation_id: str) -> Glance:
        pulse = await feel(self.directory.client, conversation_id)
        known = self._known.pop(conversation_id, None)
        glance = known[1] if known and known[0] == pulse else await self.directory.glance(conversation_id)
        self._known[conversation_id] = pulse, glance  # the last of all now
        while len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]
        return glance
