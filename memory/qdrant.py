"""Memory in Qdrant: a server, or the embedded app that speaks its REST; only the URL tells them apart.

Dense vectors find paraphrases, sparse ones names and numbers; on long real dialogues only both together are robust.
They are fused by reciprocal rank. Both kinds of vector are computed on our side, so that no server-side inference is
needed and the same text gives the same vectors everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
import qdrant_edge
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from memory.embedder import Embedder
from memory.item import MemoryItem, Recalled
from memory.store import MemoryMismatch, MemoryUnavailable

# Raised when what a point holds changes meaning; stored beside model and dimension.
SCHEMA = 1

# Measured on 1,535 questions over long dialogues: k=2 finds 64 % in the first 10, the usual 60 only 57 %.
RRF_K = 2

# Each side offers this many times the limit, and no fewer than the second number, so that a point that is mid-field in
# both can still win.
_PREFETCH, _PREFETCH_LEAST = 4, 20

# Points an upsert: about 600 kB of JSON at 384 dimensions, far below any server's limit.
_BATCH = 64

_NOT_FOUND = 404

_INDEXES: dict[str, models.PayloadFieldSchema] = {
    # Every search is by contact: Qdrant lays points of one tenant side by side.
    "contact_id": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    "conversation_id": models.PayloadSchemaType.KEYWORD,
    "channel": models.PayloadSchemaType.KEYWORD,
    "source": models.PayloadSchemaType.KEYWORD,
    "role": models.PayloadSchemaType.KEYWORD,
    "kind": models.PayloadSchemaType.KEYWORD,
    "at": models.PayloadSchemaType.DATETIME,
}


class QdrantStore:
    """`timeout` is in seconds, for each call as a whole. Qdrant may be absent when the store is made."""

    def __init__(
        self,
        client: AsyncQdrantClient,
        embedder: Embedder,
        *,
        collection: str = "messaging_memory",
        timeout: float = 2.0,
    ) -> None:
        self._client = client
        self._embedder = embedder
        self._collection = collection
        self._timeout = timeout
        self._bm25 = qdrant_edge.Bm25()
        self._prepared = False
        self._preparing = asyncio.Lock()

    async def prepare(self) -> None:
        """Creates collection and indexes where missing. Raises MemoryUnavailable or MemoryMismatch."""
        async with self._talking():
            await self._prepare()

    async def remember(self, items: Sequence[MemoryItem]) -> None:
        if not items:
            return
        vectors = await self._embedder.embed([item.text for item in items])
        points = [self._point(item, vector) for item, vector in zip(items, vectors, strict=True)]
        for start in range(0, len(points), _BATCH):
            async with self._talking():
                await self._prepare()
                await self._client.upsert(self._collection, points[start : start + _BATCH], wait=True)

    async def recall(
        self, query: str, *, contact_id: str, limit: int = 5, exclude: Collection[str] = ()
    ) -> list[Recalled]:
        if limit < 1 or not query.strip():
            return []
        [dense] = await self._embedder.embed([query])
        sparse = self._bm25.embed_query(query)
        only = _of(contact_id, exclude)
        depth = max(limit * _PREFETCH, _PREFETCH_LEAST)
        prefetch = [models.Prefetch(query=dense, using="dense", filter=only, limit=depth)]
        if sparse.indices:  # a query of nothing but stop words has none
            vector = models.SparseVector(indices=sparse.indices, values=sparse.values)
            prefetch.append(models.Prefetch(query=vector, using="text", filter=only, limit=depth))
        async with self._talking():
            await self._prepare()
            found = await self._client.query_points(
                self._collection,
                prefetch=prefetch,
                query=models.RrfQuery(rrf=models.Rrf(k=RRF_K)),
                query_filter=only,
                limit=limit,
                with_payload=True,
            )
            return [_recalled(point.payload or {}, point.score) for point in found.points]

    async def forget(self, contact_id: str) -> int:
        only = _of(contact_id)
        async with self._talking():
            await self._prepare()
            before = (await self._client.count(self._collection, count_filter=only, exact=True)).count
            await self._client.delete(self._collection, models.FilterSelector(filter=only), wait=True)
            left = (await self._client.count(self._collection, count_filter=only, exact=True)).count
        if left:
            raise MemoryUnavailable(f"{left} points were left after the deletion")
        return before

    async def close(self) -> None:
        await self._client.close()

    def _point(self, item: MemoryItem, dense: list[float]) -> models.PointStruct:
        sparse = self._bm25.embed_document(f"{item.preceding}\n{item.text}")
        return models.PointStruct(
            id=item.id,
            vector={
                "dense": dense,
                "text": models.SparseVector(indices=sparse.indices, values=sparse.values),
            },
            payload={
                "contact_id": item.contact_id,
                "conversation_id": item.conversation_id,
                "channel": item.channel,
                "turn": item.turn,
                "role": item.role,
                "text": item.text,
                "at": item.at.isoformat(),
                "source": item.source,
                "kind": item.kind,
            },
        )

    async def _prepare(self) -> None:
        async with self._preparing:
            if not self._prepared:
                await self._prepare_now()
                self._prepared = True

    async def _prepare_now(self) -> None:
        if not await self._client.collection_exists(self._collection):
            await self._create()
        self._compare(await self._client.get_collection(self._collection))
        for name, schema in _INDEXES.items():  # repeated at every start: a crash may have come in between
            await self._client.create_payload_index(self._collection, name, schema, wait=True)

    async def _create(self) -> None:
        try:
            await self._client.create_collection(
                self._collection,
                vectors_config={
                    "dense": models.VectorParams(size=self._embedder.dimension, distance=models.Distance.COSINE)
                },
                sparse_vectors_config={"text": models.SparseVectorParams(modifier=models.Modifier.IDF)},
                metadata=self._written_with(),
            )
        except UnexpectedResponse:
            # Another process may have been faster, which is as good; versions differ in the status they tell it by.
            if not await self._client.collection_exists(self._collection):
                raise

    def _written_with(self) -> dict[str, Any]:
        return {"model": self._embedder.model, "dimension": self._embedder.dimension, "schema": SCHEMA}

    def _compare(self, info: models.CollectionInfo) -> None:
        found = info.config.metadata or {}
        expected = self._written_with()
        if any(found.get(key) != value for key, value in expected.items()):
            raise MemoryMismatch(collection=self._collection, found=_described(found), expected=_described(expected))

    @asynccontextmanager
    async def _talking(self) -> AsyncIterator[None]:
        """The one place where failures of the wire are translated."""
        try:
            async with asyncio.timeout(self._timeout):
                yield
        except TimeoutError as error:
            raise MemoryUnavailable(f"no answer within {self._timeout:g} s") from error
        except UnexpectedResponse as error:
            if error.status_code == _NOT_FOUND:  # somebody deleted the collection: make it anew next time
                self._prepared = False
            # Its text holds the response body, which may hold content.
            raise MemoryUnavailable(f"Qdrant answered {error.status_code}") from None
        except (ApiException, QdrantException, httpx.HTTPError) as error:
            raise MemoryUnavailable(f"Qdrant cannot be reached ({type(error).__name__})") from error
        except (ValueError, KeyError):  # no JSON, or not of Qdrant's shape: a proxy's page, another service
            raise MemoryUnavailable("what answered is not Qdrant, or its data is not ours") from None


def _of(contact_id: str, exclude: Collection[str] = ()) -> models.Filter:
    """The only filter there is: always by contact, set here and never by a caller."""
    mine = models.FieldCondition(key="contact_id", match=models.MatchValue(value=contact_id))
    if not exclude:
        return models.Filter(must=[mine])
    theirs = models.FieldCondition(key="source", match=models.MatchAny(any=sorted(exclude)))
    return models.Filter(must=[mine], must_not=[theirs])


def _recalled(payload: dict[str, Any], score: float) -> Recalled:
    return Recalled(
        text=payload["text"],
        role=payload["role"],
        at=datetime.fromisoformat(payload["at"]),
        channel=payload["channel"],
        conversation_id=payload["conversation_id"],
        turn=payload["turn"],
        score=score,
        source=payload["source"],
        kind=payload.get("kind", "message"),
    )


def _described(written_with: dict[str, Any]) -> str:
    model = written_with.get("model", "an unknown model (Qdrant keeps it from 1.16 on)")
    return f"{model}, {written_with.get('dimension', '?')} dimensions, schema {written_with.get('schema', '?')}"
