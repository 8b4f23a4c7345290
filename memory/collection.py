"""One collection of Qdrant's: made where it is missing, checked against what we write, brought to our schema."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from memory.store import MemoryMismatch
from memory.wire import talking

# Raised when what a point holds changes meaning; stored beside model and dimension.
#   1  one tenant, messages only
#   2  `tenant` on every point; facts with `key` and `invalid_at`
SCHEMA = 2
_MIGRATED_FROM = (1,)

# Seconds for a migration. It is one operation inside Qdrant, whatever becomes of the process that asked for it.
_MIGRATION = 300.0

INDEXES: dict[str, models.PayloadFieldSchema] = {
    # Every search is by contact: Qdrant lays points of one contact side by side.
    "contact_id": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    "tenant": models.PayloadSchemaType.KEYWORD,
    "conversation_id": models.PayloadSchemaType.KEYWORD,
    "channel": models.PayloadSchemaType.KEYWORD,
    "source": models.PayloadSchemaType.KEYWORD,
    "role": models.PayloadSchemaType.KEYWORD,
    "kind": models.PayloadSchemaType.KEYWORD,
    "key": models.PayloadSchemaType.KEYWORD,
    "at": models.PayloadSchemaType.DATETIME,
    "invalid_at": models.PayloadSchemaType.DATETIME,
}

_WITHOUT_TENANT = models.Filter(must=[models.IsEmptyCondition(is_empty=models.PayloadField(key="tenant"))])


@dataclass(slots=True, kw_only=True)
class MemoryCollection:
    """The collection that memories are in. `timeout` is in seconds, for each call."""

    client: AsyncQdrantClient
    name: str
    model: str
    dimension: int
    tenant: str
    timeout: float
    _prepared: bool = False
    _preparing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def prepare(self) -> None:
        """Do what is to be done, once. Raises MemoryUnavailable or MemoryMismatch."""
        async with self._preparing:
            if not self._prepared:
                await self._prepare()
                self._prepared = True

    def is_gone(self) -> None:
        """Somebody deleted it: it is made anew at the next use."""
        self._prepared = False

    async def _prepare(self) -> None:
        async with talking(self.timeout):
            if not await self.client.collection_exists(self.name):
                await self._create()
            info = await self.client.get_collection(self.name)
        written = self._written_with()
        metadata = info.config.metadata or {}
        found = {name: metadata[name] for name in written if name in metadata}
        if found != written and not self._is_older(found):
            raise MemoryMismatch(collection=self.name, found=_described(found), expected=_described(written))
        for name, schema in INDEXES.items():  # repeated at every start: a crash may have come in between
            async with talking(self.timeout):
                await self.client.create_payload_index(self.name, name, schema, wait=True)
        await self._adopt()
        if found != written:
            async with talking(self.timeout):
                await self.client.update_collection(self.name, metadata=written)

    async def _adopt(self) -> None:
        """Points of schema 1 become this tenant's. At every start: a process of the old version may still write."""
        async with talking(self.timeout):
            left = (await self.client.count(self.name, count_filter=_WITHOUT_TENANT, exact=True)).count
        if left:
            async with talking(_MIGRATION):
                await self.client.set_payload(self.name, {"tenant": self.tenant}, _WITHOUT_TENANT, wait=True)

    async def _create(self) -> None:
        try:
            await self.client.create_collection(
                self.name,
                vectors_config={"dense": models.VectorParams(size=self.dimension, distance=models.Distance.COSINE)},
                sparse_vectors_config={"text": models.SparseVectorParams(modifier=models.Modifier.IDF)},
                metadata=self._written_with(),
            )
        except UnexpectedResponse:
            # Another process may have been faster, which is as good; versions differ in the status they tell it by.
            if not await self.client.collection_exists(self.name):
                raise

    def _written_with(self) -> dict[str, Any]:
        return {"model": self.model, "dimension": self.dimension, "schema": SCHEMA}

    def _is_older(self, found: dict[str, Any]) -> bool:
        return any(found == {**self._written_with(), "schema": schema} for schema in _MIGRATED_FROM)


def _described(written_with: dict[str, Any]) -> str:
    model = written_with.get("model", "an unknown model (Qdrant keeps it from 1.16 on)")
    return f"{model}, {written_with.get('dimension', '?')} dimensions, schema {written_with.get('schema', '?')}"
