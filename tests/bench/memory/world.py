"""The real store over the embedded Qdrant in this process, with the offline embedder, filled with everybody."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from qdrant_client import AsyncQdrantClient

from memory.embedded.app import create_app
from memory.embedder import Embedder
from memory.qdrant import QdrantStore


@asynccontextmanager
async def open_store(embedder: Embedder) -> AsyncIterator[QdrantStore]:
    """A store in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Path(folder))
        transport = httpx.ASGITransport(app)
        client = AsyncQdrantClient(url="http://embedded", transport=transport, check_compatibility=False)
        store = QdrantStore(client, embedder, timeout=60)
        try:
            yield store
        finally:
            await store.close()
            app.state.shards.close()
