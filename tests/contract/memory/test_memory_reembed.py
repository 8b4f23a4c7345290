"""Another embedder: everything that is remembered is written anew, whenever it is cut short."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from qdrant_client import AsyncQdrantClient

from memory.embedded.app import create_app
from memory.embedders.hashing import HashingEmbedder
from memory.item import MemoryItem
from memory.markdown import Passage
from memory.qdrant import QdrantStore
from memory.reembedding import Reembedding
from memory.shelf import Shelf
from memory.store import MemoryMismatch, MemoryUnavailable
from runtime import remembering
from runtime.embedding import load_embedder
from runtime.settings import Settings

ROOT = Path(__file__).parents[3]
MANY = 150

# Two embedders as a user has them, and things that are none.
SOURCE = """
from memory.embedders.hashing import HashingEmbedder

OLD = HashingEmbedder(64)

def new():
    return HashingEmbedder(96)

class Half:
    model = "half"

def broken():
    raise RuntimeError("no weights")
"""


@pytest.fixture
def vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "vectors_of_tests.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    return "vectors_of_tests"


async def filled(client: AsyncQdrantClient, make_item: Callable[..., MemoryItem]) -> None:
    store = QdrantStore(client, HashingEmbedder(64), timeout=30)
    await store.remember([make_item(f"note number {n}") for n in range(MANY)])
    shelf = Shelf(client=client, embedder=HashingEmbedder(64), timeout=30)
    await shelf.load([Passage(text="We open at nine.", heading="Hours", source="shop.md")])


async def assert_all_is_found(client: AsyncQdrantClient) -> None:
    store = QdrantStore(client, HashingEmbedder(96), timeout=30)
    assert len(await store.all_of("ana")) == MANY
    for n in (0, 63, 64, MANY - 1):
        found = await store.recall(f"note number {n}", contact_id="ana", limit=3)
        assert f"note number {n}" in [row.text for row in found]
    [passage] = await Shelf(client=client, embedder=HashingEmbedder(96), timeout=30).search("open", 1)
    assert passage.text == "We open at nine."


async def test_the_command_embeds_everything_anew_and_a_second_time_finds_nothing_to_do(
    embedded_process: Any, make_item: Callable[..., MemoryItem], vectors: str, tmp_path: Path
) -> None:
    embedded_process.start()
    client = AsyncQdrantClient(url=embedded_process.url, check_compatibility=False)
    await filled(client, make_item)
    with pytest.raises(MemoryMismatch, match="messaging memory reembed"):
        await QdrantStore(client, HashingEmbedder(96), timeout=30).prepare()
    for embedded in (MANY, 0):
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cli", "memory", "reembed", "--json"],
            env={
                **os.environ,
                "PYTHONPATH": f"{ROOT}:{tmp_path}",
                "QDRANT_URL": embedded_process.url,
                "MESSAGING_EMBEDDER": f"{vectors}:new",
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "messaging_memory": {"points": MANY, "embedded": embedded},
            "messaging_knowledge": {"points": 1, "embedded": int(bool(embedded))},
        }
        await assert_all_is_found(client)
    await client.close()


async def test_it_goes_on_wherever_it_was_cut_short(
    tmp_path: Path, make_item: Callable[..., MemoryItem], vectors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(tmp_path / "qdrant")
    calls, cut_at = 0, 0

    async def cutting(scope: Any, receive: Any, send: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == cut_at:
            raise httpx.ConnectError("cut short")
        await app(scope, receive, send)

    def client_of(*_: object) -> AsyncQdrantClient:
        return AsyncQdrantClient(url="http://e", transport=httpx.ASGITransport(cutting), check_compatibility=False)

    monkeypatch.setattr(remembering, "qdrant_client", client_of)
    client = client_of()
    await filled(client, make_item)
    settings = Settings(messaging_embedder=f"{vectors}:new", _env_file=None)  # type: ignore[call-arg]
    cut, embedded = 0, 0
    while True:  # one request further each time, until nothing is left to do
        cut, calls = cut + 1, 0
        cut_at = cut
        try:
            done = await remembering.reembed(settings, lambda _name, _done, _of: None)
        except MemoryUnavailable:
            continue
        embedded += done["messaging_memory"].embedded
        assert done["messaging_memory"].points == MANY
        break
    cut_at = 0
    assert cut > 30, "it was cut at every request on the way"
    assert embedded < MANY, "what had been done was not done again"
    await assert_all_is_found(client)
    assert {row.name for row in (await client.get_collections()).collections} == {
        "messaging_memory",
        "messaging_knowledge",
    }
    await client.close()
    app.state.shards.close()


async def test_what_is_half_done_and_lost_its_source_is_not_taken_for_everything(tmp_path: Path) -> None:
    app = create_app(tmp_path)
    client = AsyncQdrantClient(url="http://e", transport=httpx.ASGITransport(app), check_compatibility=False)
    await QdrantStore(client, HashingEmbedder(96), collection="notes_reembedded", timeout=30).prepare()

    async def make(name: str) -> None:
        raise AssertionError(name)

    with pytest.raises(MemoryUnavailable, match="not complete"):
        await Reembedding(
            client=client, embedder=HashingEmbedder(96), collection="notes", make=make, words=lambda told: told["text"]
        ).run()
    await client.close()
    app.state.shards.close()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nobody", "has no 'nobody'"), ("Half", "is Half, but must be"), ("broken", "cannot be made"), ("OLD", "")],
)
def test_an_embedder_is_an_object_or_what_makes_one(vectors: str, name: str, reason: str) -> None:
    if not reason:
        assert load_embedder(f"{vectors}:{name}").dimension == 64
        return
    with pytest.raises(ValueError, match=r"^MESSAGING_EMBEDDER=") as refused:
        load_embedder(f"{vectors}:{name}")
    assert reason in str(refused.value)
