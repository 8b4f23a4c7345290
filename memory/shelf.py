"""What a business knows of itself, kept in Qdrant: one collection for all tenants, filled from a folder of Markdown.

A worker with a folder keeps its tenant's part equal to it. One without reads what the command
`messaging knowledge load` or another worker put there. While Qdrant is away, what was known goes on being found from
this process.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from memory.embedder import Embedder
from memory.knowledge import Folder, Index, Knowledge, ranked, worded
from memory.markdown import Passage
from memory.store import MemoryMismatch, MemoryUnavailable
from memory.wire import CollectionGone, talking

log = structlog.get_logger(__name__)

# Raised when what a point holds changes meaning; stored beside model and dimension.
SCHEMA = 1

# Fixed for ever: ids derived from it are the point ids of what is already stored.
_NAMESPACE = uuid.UUID("0b0c7d52-6f0e-5d7b-9c59-5a6c4f1d2e88")

# Points of one request: 64 passages with their vectors are about 600 kB of JSON, ids alone are short.
_BATCH, _PAGE = 64, 256

# Seconds between two looks at the collection by a worker without a folder of its own.
LOOK_EVERY = 10.0

# Passages that Qdrant offers for ranking by shared words.
_DEPTH = 32

_VECTOR = "dense"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load did, in passages."""

    added: int
    removed: int
    unchanged: int


@dataclass(slots=True, kw_only=True)
class Shelf:
    """One tenant's passages in the collection. `timeout` is in seconds, for each call.

    Every method may raise MemoryUnavailable or MemoryMismatch.
    """

    client: AsyncQdrantClient
    embedder: Embedder
    tenant: str = "default"
    collection: str = "messaging_knowledge"
    timeout: float = 2.0
    _prepared: bool = False

    async def load(self, passages: Sequence[Passage], vectors: dict[Passage, Sequence[float]] | None = None) -> Loaded:
        """Make these all there is. What is there already is not written again; new passages are embedded.

        `vectors` are those known before, and take up the new ones.
        """
        await self.prepare()
        vectors = {} if vectors is None else vectors
        wanted = {self._id(passage): passage for passage in passages}
        there = {str(record.id) async for record in self._records(with_payload=False)}
        missing = [(point, passage) for point, passage in wanted.items() if point not in there]
        for start in range(0, len(missing), _BATCH):
            await self._put(missing[start : start + _BATCH], vectors)
        stale = sorted(there - set(wanted))
        for start in range(0, len(stale), _PAGE):
            async with talking(self.timeout):
                # After the new ones: a search meanwhile finds too much rather than too little.
                await self.client.delete(
                    self.collection, models.PointIdsList(points=list(stale[start : start + _PAGE])), wait=True
                )
        return Loaded(added=len(missing), removed=len(stale), unchanged=len(wanted) - len(missing))

    async def passages(self) -> dict[Passage, Sequence[float]]:
        """All passages with their vectors, in the order of their files."""
        await self.prepare()
        rows = [record async for record in self._records(with_payload=True, with_vectors=[_VECTOR])]
        rows.sort(key=lambda row: ((row.payload or {})["source"], (row.payload or {})["heading"]))
        return {passage_of(row.payload or {}): row.vector[_VECTOR] for row in rows}  # type: ignore[index,call-overload,misc]

    async def ids(self) -> frozenset[str]:
        """Which passages there are: an id stands for a content."""
        await self.prepare()
        return frozenset([str(record.id) async for record in self._records(with_payload=False)])

    async def search(self, query: str, limit: int) -> list[Passage]:
        """The passages nearest to the query, best first."""
        await self.prepare()
        [vector] = await self.embedder.embed([query])
        async with talking(self.timeout):
            found = await self.client.query_points(
                self.collection,
                query=vector,
                using=_VECTOR,
                query_filter=self._mine(),
                limit=max(limit, _DEPTH),
                with_payload=True,
            )
        return ranked(query, [replace(passage_of(row.payload or {}), score=row.score) for row in found.points])[:limit]

    def is_gone(self) -> None:
        """Somebody deleted the collection: it is made anew at the next use."""
        self._prepared = False

    async def _put(self, rows: list[tuple[str, Passage]], vectors: dict[Passage, Sequence[float]]) -> None:
        unknown = [passage for _, passage in rows if passage not in vectors]
        embedded = await self.embedder.embed([worded(passage) for passage in unknown])
        vectors.update(zip(unknown, embedded, strict=True))
        points = [
            models.PointStruct(
                id=point,
                vector={_VECTOR: list(vectors[passage])},
                payload={
                    "tenant": self.tenant,
                    "source": passage.source,
                    "heading": passage.heading,
                    "text": passage.text,
                },
            )
            for point, passage in rows
        ]
        async with talking(self.timeout):
            await self.client.upsert(self.collection, points, wait=True)

    async def _records(self, **what: Any) -> AsyncIterator[models.Record]:
        offset: Any = None
        while True:
            async with talking(self.timeout):
                page, offset = await self.client.scroll(
                    self.collection, scroll_filter=self._mine(), limit=_PAGE, offset=offset, **what
                )
            for record in page:
                yield record
            if offset is None:
                return

    def _mine(self) -> models.Filter:
        return models.Filter(must=[models.FieldCondition(key="tenant", match=models.MatchValue(value=self.tenant))])

    def _id(self, passage: Passage) -> str:
        """The same for the same passage: whoever loads it, it is one point."""
        told = (self.tenant, passage.source, passage.heading, passage.text)
        return str(uuid.uuid5(_NAMESPACE, "\x1f".join(told)))

    async def prepare(self) -> None:
        """Make the collection and its indexes, or check what it was written with."""
        if self._prepared:
            return
        async with talking(self.timeout):
            if not await self.client.collection_exists(self.collection):
                await self._create()
            info = await self.client.get_collection(self.collection)
            for name in ("tenant", "source"):  # repeated at every start: a crash may have come in between
                await self.client.create_payload_index(
                    self.collection, name, models.PayloadSchemaType.KEYWORD, wait=True
                )
        metadata, written = info.config.metadata or {}, self._written_with()
        if {name: metadata.get(name) for name in written} != written:
            raise MemoryMismatch(
                collection=self.collection, found=_described(metadata), expected=_described(written), refilled=_REFILLED
            )
        self._prepared = True

    async def _create(self) -> None:
        try:
            await self.client.create_collection(
                self.collection,
                vectors_config={
                    _VECTOR: models.VectorParams(size=self.embedder.dimension, distance=models.Distance.COSINE)
                },
                metadata=self._written_with(),
            )
        except UnexpectedResponse:
            # Another process may have been faster, which is as good; versions differ in the status they tell it by.
            if not await self.client.collection_exists(self.collection):
                raise

    def _written_with(self) -> dict[str, Any]:
        return {"model": self.embedder.model, "dimension": self.embedder.dimension, "schema": SCHEMA}


class ShelvedKnowledge:
    """Knowledge that is kept on a shelf.

    `folder` is what this worker keeps it equal to, None to read only; while there is nothing to read, `otherwise`
    answers. Qdrant may be away, at the start too: this process then answers from what it knows.
    """

    def __init__(
        self,
        shelf: Shelf,
        folder: Folder | None,
        *,
        otherwise: Knowledge | None = None,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._shelf = shelf
        self._folder = folder
        self._otherwise = otherwise
        self._look_every = look_every
        self._index = Index(shelf.embedder)
        self._index.passages = folder.passages if folder else ()
        self._ids: frozenset[str] = frozenset()
        self._next_look = 0.0
        self._away_until = 0.0
        self._is_loaded = False
        self._preparing = asyncio.Lock()

    @property
    def passages(self) -> tuple[Passage, ...]:
        return self._index.passages or (self._otherwise.passages if self._otherwise else ())

    async def prepare(self) -> None:
        """Raises MemoryMismatch; Qdrant being away is not an error."""
        async with self._preparing:
            try:
                await (self._read() if self._folder is None else self._write(self._folder))
            except MemoryUnavailable as error:
                log.warning("knowledge is answered from this process", reason=error.reason)
            await self._index.embed()
        if self._otherwise and not self._index.passages:
            await self._otherwise.prepare()

    async def search(self, query: str, limit: int = 3) -> list[Passage]:
        if limit < 1 or not query.strip():
            return []
        await self.prepare()
        if not self._index.passages:
            return await self._otherwise.search(query, limit) if self._otherwise else []
        if time.monotonic() < self._away_until:  # one question searches several times, and none of them has to wait
            return await self._index.search(query, limit)
        try:
            return await self._shelf.search(query, limit)
        except CollectionGone:
            self._shelf.is_gone()
            self._is_loaded, self._next_look = False, 0.0
        except MemoryUnavailable as error:
            self._away_until = time.monotonic() + self._look_every
            log.warning("knowledge is answered from this process", reason=error.reason)
        return await self._index.search(query, limit)

    async def _write(self, folder: Folder) -> None:
        if await folder.has_changed():
            self._index.passages, self._is_loaded = folder.passages, False
        if not self._is_loaded and self._may_look():
            vectors = dict(self._index.vectors) or await self._shelf.passages()
            self._index.vectors = vectors
            loaded = await self._shelf.load(folder.passages, vectors)
            self._is_loaded, self._next_look = True, 0.0
            log.info("knowledge loaded", added=loaded.added, removed=loaded.removed, unchanged=loaded.unchanged)

    async def _read(self) -> None:
        if self._may_look() and (ids := await self._shelf.ids()) != self._ids:
            found = await self._shelf.passages()
            self._index.vectors = dict(found)
            self._index.passages, self._ids = tuple(found), ids

    def _may_look(self) -> bool:
        """Not at every search: a Qdrant that is away is not asked again at once."""
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + self._look_every
        return True


_REFILLED = "the next start of a worker, or `messaging knowledge load`, fills it again"


def passage_of(payload: Mapping[str, Any]) -> Passage:
    """A passage as its point holds it."""
    return Passage(text=payload["text"], heading=payload["heading"], source=payload["source"])


def _described(written_with: dict[str, Any]) -> str:
    model = written_with.get("model", "an unknown model (Qdrant keeps it from 1.16 on)")
    return f"{model}, {written_with.get('dimension', '?')} dimensions, schema {written_with.get('schema', '?')}"
