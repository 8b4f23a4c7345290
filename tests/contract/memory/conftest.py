"""The stores under contract: the twin, the embedded Qdrant in this process and in its own, a server if there is one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from qdrant_client import AsyncQdrantClient

from memory.embedded.app import create_app
from memory.embedder import Embedder
from memory.embedders.hashing import HashingEmbedder
from memory.item import MemoryItem, item_id
from memory.qdrant import QdrantStore
from memory.store import MemoryStore
from memory.twin import InMemoryStore
from tests.support.ports import free_port

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class EmbeddedProcess:
    """`python -m memory.embedded`, started and killed as often as a test likes, over one directory."""

    path: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "memory.embedded", "--port", str(self.port), "--path", str(self.path)]
        self.process = subprocess.Popen(command)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the embedded Qdrant ended at once"
            try:
                httpx.get(f"{self.url}/readyz").raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the embedded Qdrant did not get ready")

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def embedded_process(tmp_path: Path) -> Iterator[EmbeddedProcess]:
    embedded = EmbeddedProcess(path=tmp_path / "qdrant", port=free_port())
    yield embedded
    embedded.kill()


@pytest.fixture(scope="module")
def shared_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedProcess]:
    embedded = EmbeddedProcess(path=tmp_path_factory.mktemp("qdrant"), port=free_port())
    embedded.start()
    yield embedded
    embedded.kill()


# A server of one's own is tested when QDRANT_URL names it.
SERVER = pytest.param(
    "server",
    marks=pytest.mark.skipif(not os.environ.get("QDRANT_URL"), reason="QDRANT_URL names no server to test"),
)
REMOTE = ["embedded", "socket", SERVER]


@asynccontextmanager
async def in_process(path: Path) -> AsyncIterator[AsyncQdrantClient]:
    """An unmodified client whose transport is the embedded app, without a socket."""
    app = create_app(path)
    client = AsyncQdrantClient(url="http://embedded", transport=httpx.ASGITransport(app), check_compatibility=False)
    yield client
    await client.close()
    app.state.shards.close()


@asynccontextmanager
async def over_socket(url: str, collection: str, api_key: str | None = None) -> AsyncIterator[AsyncQdrantClient]:
    """A client that checks the server's version, as it does by default, and leaves nothing behind."""
    client = AsyncQdrantClient(url=url, api_key=api_key, check_compatibility=False)
    yield client
    await client.delete_collection(collection)
    await client.close()


@dataclass(frozen=True)
class Remote:
    """A Qdrant of some kind, and the name of a collection that nobody else uses."""

    client: AsyncQdrantClient
    collection: str

    def store(self, embedder: Embedder | None = None, **options: Any) -> QdrantStore:
        # A generous timeout, because these tests measure nothing and the machine may be busy.
        return QdrantStore(
            self.client, embedder or HashingEmbedder(), collection=self.collection, timeout=30, **options
        )


@asynccontextmanager
async def open_remote(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Remote]:
    name = f"test_{uuid.uuid4().hex}"
    if kind == "embedded":
        opened = in_process(request.getfixturevalue("tmp_path") / "in-process")
    elif kind == "socket":
        opened = over_socket(request.getfixturevalue("shared_process").url, name)
    else:
        opened = over_socket(os.environ["QDRANT_URL"], name, os.environ.get("QDRANT_API_KEY"))
    async with opened as client:
        yield Remote(client, name)


@pytest.fixture(params=REMOTE)
async def remote(request: pytest.FixtureRequest) -> AsyncIterator[Remote]:
    async with open_remote(request.param, request) as opened:
        yield opened


@pytest.fixture(params=["twin", *REMOTE])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[MemoryStore]:
    if request.param == "twin":
        yield InMemoryStore(HashingEmbedder())
        return
    async with open_remote(request.param, request) as opened:
        yield opened.store()


MakeItem = Callable[..., MemoryItem]


@pytest.fixture
def make_item() -> MakeItem:
    def make(
        text: str, *, contact_id: str = "ana", source: str = "", turn: int = 0, preceding: str = "", **more: str
    ) -> MemoryItem:
        source = source or f"IM-{contact_id}-{text}"
        return MemoryItem(
            id=item_id(source),
            contact_id=contact_id,
            conversation_id=f"conversation-of-{contact_id}",
            channel="sms",
            turn=turn,
            role="contact",
            text=text,
            at=BEGINNING + timedelta(minutes=turn),
            source=source,
            preceding=preceding,
            **more,
        )

    return make
