"""What the Qdrant store promises about Qdrant itself: its absence, its mismatch, its death."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from qdrant_client import AsyncQdrantClient, models

from memory.embedders.hashing import HashingEmbedder
from memory.item import MemoryItem
from memory.qdrant import QdrantStore
from memory.store import MemoryMismatch, MemoryUnavailable
from tests.support.ports import free_port

MakeItem = Callable[..., MemoryItem]


def client_with(handler: Callable[[httpx.Request], Any]) -> AsyncQdrantClient:
    return AsyncQdrantClient(url="http://qdrant", transport=httpx.MockTransport(handler), check_compatibility=False)


@pytest.mark.parametrize("embedder", [HashingEmbedder(64), HashingEmbedder(512)])
async def test_vectors_of_another_model_are_refused_with_the_remedy(remote: Any, embedder: HashingEmbedder) -> None:
    await remote.store().prepare()
    for _ in range(2):
        with pytest.raises(
            MemoryMismatch, match=r"hashing-256, 256 dimensions.*hashing-(64|512).*messaging memory reembed"
        ):
            await remote.store(embedder).recall("hello", contact_id="ana")


async def test_a_collection_of_somebody_elses_is_refused(remote: Any) -> None:
    await remote.client.create_collection(
        remote.collection, vectors_config=models.VectorParams(size=3, distance=models.Distance.DOT)
    )
    with pytest.raises(MemoryMismatch, match="unknown model"):
        await remote.store().prepare()


async def test_two_processes_may_prepare_at_the_same_time(remote: Any, make_item: MakeItem) -> None:
    first, second = remote.store(), remote.store()
    await asyncio.gather(*(one.prepare() for one in (first, second) * 3))
    await first.remember([make_item("hello")])
    assert len(await second.recall("hello", contact_id="ana")) == 1


async def test_every_field_that_is_filtered_by_has_an_index(remote: Any) -> None:
    await remote.store().prepare()
    info = await remote.client.get_collection(remote.collection)
    assert {"contact_id", "source", "conversation_id", "channel", "kind", "at"} <= set(info.payload_schema)


async def test_a_deleted_collection_is_made_anew(remote: Any, make_item: MakeItem) -> None:
    store = remote.store()
    await store.remember([make_item("hello")])
    await remote.client.delete_collection(remote.collection)
    with pytest.raises(MemoryUnavailable, match="404"):
        await store.recall("hello", contact_id="ana")
    await store.remember([make_item("hello again")])
    assert [row.text for row in await store.recall("hello", contact_id="ana")] == ["hello again"]


async def test_an_absent_qdrant_is_unavailable_and_welcome_later(embedded_process: Any, make_item: MakeItem) -> None:
    client = AsyncQdrantClient(url=embedded_process.url, check_compatibility=False)
    store = QdrantStore(client, HashingEmbedder(), timeout=30)
    calls = (
        store.prepare,
        lambda: store.remember([make_item("hello")]),
        lambda: store.recall("hello", contact_id="ana"),
        lambda: store.forget("ana"),
    )
    for call in calls:
        with pytest.raises(MemoryUnavailable) as caught:
            await call()
        assert "hello" not in caught.value.reason
        assert "ana" not in caught.value.reason
    await asyncio.to_thread(embedded_process.start)
    await store.remember([make_item("hello")])
    assert len(await store.recall("hello", contact_id="ana")) == 1
    await store.close()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 501, 503])
async def test_every_error_answer_is_unavailable_and_tells_no_content(status: int) -> None:
    secret = "My pin is 4711"
    client = client_with(lambda _: httpx.Response(status, json={"status": {"error": secret}}))
    store = QdrantStore(client, HashingEmbedder())
    with pytest.raises(MemoryUnavailable) as caught:
        await store.recall(secret, contact_id="ana")
    assert "4711" not in f"{caught.value} {caught.value.__cause__}"
    await store.close()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"result": 5}'])
async def test_an_answer_that_is_not_qdrants_is_unavailable(body: bytes) -> None:
    store = QdrantStore(client_with(lambda _: httpx.Response(200, content=body)), HashingEmbedder())
    with pytest.raises(MemoryUnavailable):
        await store.recall("hello", contact_id="ana")
    await store.close()


async def test_a_qdrant_that_never_answers_is_given_up_on() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    store = QdrantStore(client_with(never), HashingEmbedder(), timeout=0.05)
    with pytest.raises(MemoryUnavailable, match=r"no answer within 0\.05 s"):
        await store.recall("hello", contact_id="ana")
    await store.close()


async def test_kill_9_loses_nothing_that_was_acknowledged(embedded_process: Any, make_item: MakeItem) -> None:
    acknowledged: list[str] = []
    for round_number in range(3):
        await asyncio.to_thread(embedded_process.start)
        async with writing(embedded_process.url, make_item, acknowledged, round_number) as enough:
            await enough.wait()
            embedded_process.kill()
    await asyncio.to_thread(embedded_process.start)
    store = QdrantStore(
        AsyncQdrantClient(url=embedded_process.url, check_compatibility=False), HashingEmbedder(), timeout=30
    )
    found = await store.recall("note", contact_id="ana", limit=2_000)
    assert set(acknowledged) <= {row.text for row in found}
    assert len(acknowledged) >= 60
    await store.close()


@contextlib.asynccontextmanager
async def writing(
    url: str, make_item: MakeItem, acknowledged: list[str], round_number: int
) -> AsyncIterator[asyncio.Event]:
    """Writes until the writing fails; sets the event after twenty acknowledged writes."""
    store = QdrantStore(AsyncQdrantClient(url=url, check_compatibility=False), HashingEmbedder(), timeout=30)
    enough = asyncio.Event()

    async def write() -> None:
        for n in range(10_000):
            text = f"note {round_number}-{n}"
            try:
                await store.remember([make_item(text)])
            except MemoryUnavailable:
                return
            acknowledged.append(text)
            if n >= 20:
                enough.set()

    task = asyncio.create_task(write())
    yield enough
    await task
    await store.close()


async def test_nothing_that_was_said_reaches_the_log(
    remote: Any, make_item: MakeItem, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store = remote.store()
    await store.remember([make_item("my secret is zebra", contact_id="contact-4711")])
    await store.recall("zebra", contact_id="contact-4711")
    await store.forget("contact-4711")
    assert "zebra" not in caplog.text
    assert "contact-4711" not in caplog.text


def test_a_store_is_made_without_asking_qdrant() -> None:
    client = AsyncQdrantClient(url=f"http://127.0.0.1:{free_port()}", check_compatibility=False)
    QdrantStore(client, HashingEmbedder())
