"""Asks and writes this person's memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from temporalio import activity

from activities import failures
from agents.secret_marks import redacted
from memory.item import CONTACT, MemoryItem, Recalled
from memory.store import MemoryMismatch, MemoryStore, MemoryUnavailable
from workflows.contracts import MemoryActivities, RecallRequest, Recollection, RememberRequest


class Memories(MemoryActivities):
    """A thin border around the store: its errors become Temporal's.

    `redacts` keeps card numbers and keys out of memory, whoever wrote them.
    """

    def __init__(self, store: MemoryStore, *, redacts: bool = True) -> None:
        self._store = store
        self._redacts = redacts

    @activity.defn(name="recall")
    async def recall(self, request: RecallRequest) -> Recollection:
        """What this person said before. Raises ApplicationError."""
        if not request.query.strip():
            return Recollection()
        try:
            # Twice as many as wanted, since half of a conversation is the agent's own words.
            items = await self._store.recall(
                request.query, contact_id=request.contact_id, limit=2 * request.limit, exclude=request.exclude
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
        except (MemoryUnavailable, MemoryMismatch) as error:
            raise failures.of_memory(error) from error


def _without_secrets(item: MemoryItem) -> MemoryItem:
    (text, found), (preceding, before) = redacted(item.text), redacted(item.preceding)
    return replace(item, text=text, preceding=preceding) if found or before else item


def _first_the_person(items: Sequence[Recalled]) -> tuple[Recalled, ...]:
    """What the person said, best first, then what was said to them: only the former can tell something new of them."""
    return tuple(sorted(items, key=lambda item: item.role != CONTACT))
