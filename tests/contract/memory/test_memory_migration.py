"""A collection of an older schema is brought to ours; nothing in it is lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from qdrant_client import AsyncQdrantClient, models

from memory.collection import SCHEMA
from memory.embedders.hashing import HashingEmbedder
from memory.item import MemoryItem
from memory.store import MemoryMismatch

MakeItem = Callable[..., MemoryItem]

OLD = {"model": "hashing-256", "dimension": 256, "schema": 1}


async def write_schema_1(client: AsyncQdrantClient, name: str, items: list[MemoryItem]) -> None:
    """As the first version wrote it."""
    if not await client.collection_exists(name):
        await client.create_collection(
            name,
            vectors_config={"dense": models.VectorParams(size=256, distance=models.Distance.COSINE)},
            sparse_vectors_config={"text": models.SparseVectorParams(modifier=models.Modifier.IDF)},
            metadata=OLD,
        )
        await client.create_payload_index(name, "contact_id", models.PayloadSchemaType.KEYWORD)
    vectors = await HashingEmbedder().embed([item.text for item in items])
    fields = ("contact_id", "conversation_id", "channel", "turn", "role", "text", "source", "kind")
    points = [
        models.PointStruct(
            id=item.id,
            vector={"dense": vector, "text": models.SparseVector(indices=[1], values=[1.0])},
            payload={**{name: getattr(item, name) for name in fields}, "at": item.at.isoformat()},
        )
        for item, vector in zip(items, vectors, strict=True)
    ]
    await client.upsert(name, points, wait=True)


async def test_a_collection_of_schema_1_is_brought_to_ours_with_all_that_is_in_it(
    remote: Any, make_item: MakeItem
) -> None:
    old = [make_item(f"note {n}", contact_id=who) for who in ("ana", "bob") for n in range(30)]
    await write_schema_1(remote.client, remote.collection, old)

    store = remote.store(tenant="ours")
    await store.prepare()

    assert len(await store.all_of("ana")) == len(await store.all_of("bob")) == 30
    assert "note 7" in [row.text for row in await store.recall("note 7", contact_id="ana", limit=3)]
    info = await remote.client.get_collection(remote.collection)
    assert info.config.metadata == {**OLD, "schema": SCHEMA}
    assert {"tenant", "invalid_at", "key"} <= set(info.payload_schema)
    assert await remote.store(tenant="theirs").all_of("ana") == []


async def test_what_a_process_of_the_old_version_writes_meanwhile_is_adopted_at_the_next_start(
    remote: Any, make_item: MakeItem
) -> None:
    await write_schema_1(remote.client, remote.collection, [make_item("before")])
    await remote.store().prepare()
    await write_schema_1(remote.client, remote.collection, [make_item("meanwhile")])

    store = remote.store()
    await store.prepare()
    assert {row.text for row in await store.all_of("ana")} == {"before", "meanwhile"}


async def test_a_migration_that_was_cut_short_is_done_again(
    remote: Any, make_item: MakeItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_schema_1(remote.client, remote.collection, [make_item("note")])
    with monkeypatch.context() as patched:

        async def dies(*_: Any, **__: Any) -> None:
            raise asyncio.CancelledError

        patched.setattr(remote.client, "update_collection", dies)
        with pytest.raises(asyncio.CancelledError):
            await remote.store().prepare()
    assert (await remote.client.get_collection(remote.collection)).config.metadata == OLD

    store = remote.store()
    assert [row.text for row in await store.recall("note", contact_id="ana")] == ["note"]
    assert (await remote.client.get_collection(remote.collection)).config.metadata["schema"] == SCHEMA


@pytest.mark.parametrize("schema", [SCHEMA + 1, 0, "1", None])
async def test_a_schema_that_we_do_not_know_is_refused_and_left_as_it_is(
    remote: Any, make_item: MakeItem, schema: Any
) -> None:
    await write_schema_1(remote.client, remote.collection, [make_item("note")])
    await remote.client.update_collection(remote.collection, metadata={"schema": schema})
    with pytest.raises(MemoryMismatch, match="schema"):
        await remote.store().prepare()
    assert (await remote.client.count(remote.collection)).count == 1
    found = await remote.client.scroll(remote.collection)
    assert "tenant" not in found[0][0].payload
