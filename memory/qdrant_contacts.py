"""The contact book in Qdrant, beside the memories: a collection of its own, of payloads only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from memory.contacts import Link
from memory.scope import DEFAULT_TENANT
from memory.store import MemoryUnavailable
from memory.wire import CollectionGone, talking

# Qdrant's points want a vector; nobody searches by this one.
_VECTOR = [1.0]

_PAGE = 500


class QdrantContacts:
    """`timeout` is in seconds, for each call as a whole. Qdrant may be absent when the book is made."""

    def __init__(
        self,
        client: AsyncQdrantClient,
        *,
        collection: str = "messaging_contacts",
        tenant: str = DEFAULT_TENANT,
        timeout: float = 2.0,
    ) -> None:
        self._client = client
        self._name = collection
        self._tenant = tenant
        self._timeout = timeout
        self._prepared = False
        self._preparing = asyncio.Lock()

    async def links(self, contact_ids: Collection[str]) -> list[Link]:
        if not contact_ids:
            return []
        found, offset = [], None
        while True:
            async with self._talking():
                page, offset = await self._client.scroll(
                    self._name, self._touching(contact_ids), limit=_PAGE, offset=offset, with_payload=True
                )
                found += [_link(point.payload or {}) for point in page]
            if offset is None:
                return sorted(found, key=lambda link: link.at)

    async def write(self, link: Link) -> None:
        payload = {
            "tenant": self._tenant,
            "one": link.one,
            "other": link.other,
            "at": link.at.isoformat(),
            "by": link.by,
            "reason": link.reason,
            "ended_at": link.ended_at and link.ended_at.isoformat(),
            "ended_by": link.ended_by,
        }
        async with self._talking():
            await self._client.upsert(
                self._name, [models.PointStruct(id=link.id, vector=_VECTOR, payload=payload)], wait=True
            )

    async def erase(self, contact_ids: Collection[str]) -> int:
        if not contact_ids:
            return 0
        only = self._touching(contact_ids)
        async with self._talking():
            before = (await self._client.count(self._name, count_filter=only, exact=True)).count
            await self._client.delete(self._name, models.FilterSelector(filter=only), wait=True)
            left = (await self._client.count(self._name, count_filter=only, exact=True)).count
        if left:
            raise MemoryUnavailable(f"{left} links were left after the deletion")
        return before

    async def close(self) -> None:
        await self._client.close()

    def _touching(self, contact_ids: Collection[str]) -> models.Filter:
        ids = models.MatchAny(any=sorted(contact_ids))
        return models.Filter(
            must=[models.FieldCondition(key="tenant", match=models.MatchValue(value=self._tenant))],
            should=[models.FieldCondition(key=key, match=ids) for key in ("one", "other")],
        )

    @asynccontextmanager
    async def _talking(self) -> AsyncIterator[None]:
        async with self._preparing:
            if not self._prepared:
                async with talking(self._timeout):
                    await self._prepare()
                self._prepared = True
        try:
            async with talking(self._timeout):
                yield
        except CollectionGone:
            self._prepared = False
            raise

    async def _prepare(self) -> None:
        if not await self._client.collection_exists(self._name):
            try:
                await self._client.create_collection(
                    self._name, vectors_config=models.VectorParams(size=1, distance=models.Distance.DOT)
                )
            except UnexpectedResponse:
                # Another process may have been faster, which is as good.
                if not await self._client.collection_exists(self._name):
                    raise
        for key in ("tenant", "one", "other"):
            await self._client.create_payload_index(self._name, key, models.PayloadSchemaType.KEYWORD, wait=True)


def _link(payload: dict[str, Any]) -> Link:
    ended_at = payload.get("ended_at")
    return Link(
        one=payload["one"],
        other=payload["other"],
        at=datetime.fromisoformat(payload["at"]),
        by=payload["by"],
        reason=payload.get("reason", ""),
        ended_at=datetime.fromisoformat(ended_at) if ended_at else None,
        ended_by=payload.get("ended_by", ""),
    )
