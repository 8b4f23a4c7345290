"""Memory as the settings say: a Qdrant of any kind, by its URL."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
from qdrant_client import AsyncQdrantClient

from memory.collection import MemoryCollection
from memory.embedder import Embedder
from memory.item import embedded_as
from memory.knowledge import worded
from memory.qdrant import QdrantStore
from memory.qdrant_contacts import QdrantContacts
from memory.reembedding import Reembedded, Reembedding
from memory.shelf import Shelf, passage_of
from runtime.embedding import close, load_embedder
from runtime.qdrant_spans import QdrantSpans
from runtime.settings import Settings

# The client's own default for a loopback host is a new connection for every call. The embedded app hangs up after 5 s.
_LIMITS = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=4)


def memory_store(settings: Settings, embedder: Embedder, *, timeout: float = 2.0) -> QdrantStore:
    """The store, unconnected; who makes it closes it. `timeout` is in seconds, for each call."""
    return QdrantStore(qdrant_client(settings), embedder, tenant=settings.messaging_tenant, timeout=timeout)


def contact_book(settings: Settings, *, timeout: float = 2.0) -> QdrantContacts:
    """Which ids are one person; who makes it closes it. `timeout` as above."""
    return QdrantContacts(qdrant_client(settings), tenant=settings.messaging_tenant, timeout=timeout)


def qdrant_client(settings: Settings, **options: Any) -> AsyncQdrantClient:
    """A client with the key of `QDRANT_API_KEY`, over TLS where the URL says https. `options` are the HTTP client's."""
    return AsyncQdrantClient(
        url=settings.qdrant_url,
        api_key=settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None,
        # It would be one more request at every start, only to print a warning when Qdrant is away.
        check_compatibility=False,
        **{"transport": QdrantSpans(httpx.AsyncHTTPTransport(limits=_LIMITS)), **options},
    )


async def reembed(settings: Settings, progress: Callable[[str, int, int], None]) -> dict[str, Reembedded]:
    """Write the vectors of memories and knowledge anew by the embedder of the settings; by collection, what was done.

    Raises:
        ValueError: MESSAGING_EMBEDDER names nothing that can be used.
        MemoryUnavailable: it can be said again, and goes on.
    """
    embedder, client = load_embedder(settings.messaging_embedder), qdrant_client(settings)
    tenant, patience = settings.messaging_tenant, 30.0

    async def memories(name: str) -> None:
        await MemoryCollection(
            client=client,
            name=name,
            model=embedder.model,
            dimension=embedder.dimension,
            tenant=tenant,
            timeout=patience,
        ).prepare()

    async def knowledge(name: str) -> None:
        await Shelf(client=client, embedder=embedder, tenant=tenant, collection=name, timeout=patience).prepare()

    given: dict[str, Any] = {"client": client, "embedder": embedder, "timeout": patience}
    both = (
        Reembedding(
            collection="messaging_memory",
            make=memories,
            words=lambda told: embedded_as(told["text"], told.get("preceding", "")),
            kept=("text",),
            **given,
        ),
        Reembedding(
            collection="messaging_knowledge", make=knowledge, words=lambda told: worded(passage_of(told)), **given
        ),
    )
    try:
        return {one.collection: await one.run(partial(progress, one.collection)) for one in both}
    finally:
        await client.close()
        close(embedder)
