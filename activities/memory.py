"""Asks and writes this person's memory."""

from __future__ import annotations

from temporalio import activity

from activities import failures
from memory.store import MemoryMismatch, MemoryStore, MemoryUnavailable
from workflows.contracts import MemoryActivities, RecallRequest, Recollection, RememberRequest


class Memories(MemoryActivities):
    """A thin border around the store: its errors become Temporal's."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @activity.defn(name="recall")
    async def recall(self, request: RecallRequest) -> Recollection:
        """What this person said before. Raises ApplicationError."""
        if not request.query.strip():
            return Recollection()
        try:
            items = await self._store.recall(
                request.query, contact_id=request.contact_id, limit=request.limit, exclude=request.exclude
            )
        except (MemoryUnavailable, MemoryMismatch) as error:
            raise failures.of_memory(error) from error
        return Recollection(items=tuple(items))

    @activity.defn(name="remember")
    async def remember(self, request: RememberRequest) -> None:
        """Write all of it. Raises ApplicationError."""
        try:
            await self._store.remember(request.items)
        except (MemoryUnavailable, MemoryMismatch) as error:
            raise failures.of_memory(error) from error
