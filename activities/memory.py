"""Asks and writes this person's memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from temporalio import activity

from activities import failures
from agents.secret_marks import redacted
from memory import contacts
from memory.contacts import ContactBook
from memory.item import CONTACT, MemoryItem, Recalled
from memory.store import MemoryMismatch, MemoryStore, MemoryUnavailable
from workflows.contracts import MemoryActivities, RecallRequest, Recollection, RememberRequest

# Seconds for which it is not asked again who is one person: a merge shows in answers that soon.
FRESH = 10.0

# People of whom that is kept; a few hundred bytes each.
_KNOWN = 10_000


class Memories(MemoryActivities):
    """The store, asked for all ids of a person. Errors become Temporal's.

    `redacts` keeps card numbers and keys out of memory, whoever wrote them.
    """

    def __init__(self, store: MemoryStore, book: ContactBook, *, redacts: bool = True) -> None:
        self._store = store
        self._book = book
        self._redacts = redacts
        self._known: OrderedDict[str, tuple[float, tuple[str, ...]]] = OrderedDict()

    @activity.defn(name="recall")
    async def recall(self, request: RecallRequest) -> Recollection:
        """What this person said before. Raises ApplicationError."""
        if not request.query.strip():
            return Recollection()
        try:
            # Twice as many as wanted, since half of a conversation is the agent's own words.
            items = await self._store.recall(
                request.query,
                contact_id=request.contact_id,
                also=await self._person(request.contact_id),
                limit=2 * request.limit,
                exclude=request.exclude,
            )
        except (MemoryUnavailable, MemoryMismatch) as error:
            raise failures.of_memory(error) from error
        return Recollection(items=_first_the_person(items)[: request.limit])

    @activity.defn(name="remember")
    async def remember(self, request: RememberRequest) -> None:
        """Write all of it. Raises ApplicationError."""
        items = [_without_secrets(item) for item in request.items] if self._redacts else request.items
        try:
            await self._store.remember(items)
            for contact_id, other in request.same:
                await self._link(contact_id, other)
        except (MemoryUnavailable, MemoryMismatch) as error:
            raise failures.of_memory(error) from error

    async def _person(self, contact_id: str) -> tuple[str, ...]:
        """Further ids of this person, as of a few seconds ago."""
        now = asyncio.get_running_loop().time()
        if (known := self._known.get(contact_id)) is None or known[0] < now:
            found = await contacts.person(self._book, contact_id)
            self._known[contact_id] = known = (now + FRESH, found[1:])
            self._known.move_to_end(contact_id)
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)
        return known[1]

    async def _link(self, contact_id: str, other: str) -> None:
        """A message carried both ids, so the provider says that they are one person."""
        if other not in await self._person(contact_id):
            now = datetime.now(UTC)
            await contacts.merge(self._book, contact_id, other, by=contacts.PROVIDER, reason="one sender", at=now)
            self._known.pop(contact_id, None)


def _without_secrets(item: MemoryItem) -> MemoryItem:
    (text, found), (preceding, before) = redacted(item.text), redacted(item.preceding)
    return replace(item, text=text, preceding=preceding) if found or before else item


def _first_the_person(items: Sequence[Recalled]) -> tuple[Recalled, ...]:
    """What the person said, best first, then what was said to them: only the former can tell something new of them."""
    return tuple(sorted(items, key=lambda item: item.role != CONTACT))
