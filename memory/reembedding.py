"""Writes a collection's vectors anew, by another embedder: the texts are in the points, so nothing is lost by it.

Qdrant cannot change the dimension of a collection, nor its name. So the new vectors go into a collection beside it;
when all are there, the old one is made anew from them. What is done is done: cut short, it goes on where it was, and
at every moment one of the two holds everything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from qdrant_client import AsyncQdrantClient, models

from memory.embedder import Embedder
from memory.store import MemoryUnavailable
from memory.wire import talking

# As many as an upsert of the store has.
_PAGE = 64

# Set in the metadata of the collection beside it when it holds everything.
_COMPLETE = "complete"

Progress = Callable[[int, int], None]
"""Told how many points are done, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reembedded:
    """`points` are those of the collection; `embedded` are those that this run had to embed."""

    points: int
    embedded: int


@dataclass(slots=True, kw_only=True)
class Reembedding:
    """One collection, all tenants of it. Nobody may write to it meanwhile.

    `make` makes a collection of this name as its owner would, `words` are what a payload is embedded as, `kept` the
    vectors that are no embedder's, `timeout` is in seconds, for each call.
    """

    client: AsyncQdrantClient
    embedder: Embedder
    collection: str
    make: Callable[[str], Awaitable[None]]
    words: Callable[[Mapping[str, Any]], str]
    kept: tuple[str, ...] = ()
    timeout: float = 30.0

    async def run(self, progress: Progress = lambda _done, _of: None) -> Reembedded:
        """Do it, or go on with it.

        Raises:
            MemoryUnavailable: what is done stays done.
        """
        beside = f"{self.collection}_reembedded"
        has_old, has_new = await self._exists(self.collection), await self._exists(beside)
        if not has_new and (not has_old or await self._is_ours(self.collection)):
            return Reembedded(points=await self._count(self.collection) if has_old else 0, embedded=0)
        embedded = 0
        if not await self._is_complete(beside):
            if not has_old:
                raise MemoryUnavailable(f"{self.collection} is gone, and {beside} is not complete")
            embedded = await self._embed_all(self.collection, beside, progress)
        points = await self._replace(beside, progress)
        return Reembedded(points=points, embedded=embedded)

    async def _embed_all(self, old: str, new: str, progress: Progress) -> int:
        if await self._exists(new) and not await self._is_ours(new):  # of a third embedder, and given up
            await self._delete(new)
        await self.make(new)
        count, done, embedded = await self._count(old), 0, 0
        async for rows in self._pages(old, with_vectors=list(self.kept)):
            there = await self._there(new, rows)
            missing = [row for row in rows if row.id not in there]
            if missing:
                await self._put(new, await self._with_vectors(missing))
            done, embedded = done + len(rows), embedded + len(missing)
            progress(done, count)
        async with talking(self.timeout):
            await self.client.update_collection(new, metadata={_COMPLETE: True})
        return embedded

    async def _replace(self, new: str, progress: Progress) -> int:
        """Make the old one anew out of the complete one, which is removed last."""
        if await self._exists(self.collection) and not await self._is_ours(self.collection):
            await self._delete(self.collection)
        await self.make(self.collection)
        count, done = await self._count(new), 0
        async for rows in self._pages(new, with_vectors=True):
            await self._put(self.collection, [_point(row, row.vector) for row in rows])
            done += len(rows)
            progress(done, count)
        if await self._count(self.collection) < count:
            raise MemoryUnavailable("fewer points arrived than were written")
        await self._delete(new)
        return count

    async def _with_vectors(self, rows: list[models.Record]) -> list[models.PointStruct]:
        dense = await self.embedder.embed([self.words(row.payload or {}) for row in rows])
        return [
            _point(row, {**(row.vector if isinstance(row.vector, dict) else {}), "dense": vector})
            for row, vector in zip(rows, dense, strict=True)
        ]

    async def _there(self, name: str, rows: list[models.Record]) -> set[Any]:
        async with talking(self.timeout):
            found = await self.client.retrieve(name, [row.id for row in rows], with_payload=False)
        return {row.id for row in found}

    async def _put(self, name: str, points: list[models.PointStruct]) -> None:
        async with talking(self.timeout):
            await self.client.upsert(name, points, wait=True)

    async def _pages(self, name: str, *, with_vectors: bool | list[str]) -> AsyncIterator[list[models.Record]]:
        offset: Any = None
        while True:
            async with talking(self.timeout):
                rows, offset = await self.client.scroll(
                    name, limit=_PAGE, offset=offset, with_payload=True, with_vectors=with_vectors
                )
            yield rows
            if offset is None:
                return

    async def _is_ours(self, name: str) -> bool:
        metadata = await self._metadata(name)
        return (metadata.get("model"), metadata.get("dimension")) == (self.embedder.model, self.embedder.dimension)

    async def _is_complete(self, name: str) -> bool:
        return (
            await self._exists(name) and await self._is_ours(name) and bool((await self._metadata(name)).get(_COMPLETE))
        )

    async def _metadata(self, name: str) -> dict[str, Any]:
        async with talking(self.timeout):
            return dict((await self.client.get_collection(name)).config.metadata or {})

    async def _exists(self, name: str) -> bool:
        async with talking(self.timeout):
            return await self.client.collection_exists(name)

    async def _count(self, name: str) -> int:
        async with talking(self.timeout):
            return (await self.client.count(name, exact=True)).count

    async def _delete(self, name: str) -> None:
        async with talking(self.timeout):
            await self.client.delete_collection(name)


def _point(row: models.Record, vector: Any) -> models.PointStruct:
    return models.PointStruct(id=row.id, vector=vector, payload=row.payload)
