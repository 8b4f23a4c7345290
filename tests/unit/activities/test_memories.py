"""A person is recalled under all of their ids."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from activities import memory
from activities.memory import Memories
from memory import contacts
from memory.contacts import PROVIDER, InMemoryContacts
from memory.embedders.hashing import HashingEmbedder
from memory.item import MemoryItem, item_id
from memory.twin import InMemoryStore
from messaging.model import Address
from workflows import ids
from workflows.contracts import RecallRequest, RememberRequest

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = b"a-key-of-the-tests"


def item(contact_id: str, text: str) -> MemoryItem:
    return MemoryItem(
        id=item_id(f"{contact_id}{text}"),
        contact_id=contact_id,
        conversation_id="c",
        channel="whatsapp",
        turn=1,
        role="contact",
        text=text,
        at=NOW,
        source=f"{contact_id}{text}",
    )


async def recalled(memories: Memories, contact_id: str) -> set[str]:
    found = await memories.recall(RecallRequest(query="I live in Porto", contact_id=contact_id))
    return {row.text for row in found.items}


async def test_what_was_told_under_a_phone_number_is_known_when_only_the_providers_id_is() -> None:
    both = Address.parse("whatsapp:+15550100001", external_id="US.1234")
    by_phone = ids.contact_id(KEY, Address.parse("+15550100001"))
    [by_id] = ids.further_ids(KEY, both)
    assert ids.contact_id(KEY, both) == by_phone
    assert ids.contact_id(KEY, Address.parse("whatsapp:someone", external_id="US.1234")) == by_id
    assert ids.further_ids(KEY, Address.parse("+15550100001")) == ()

    book = InMemoryContacts()
    memories = Memories(InMemoryStore(HashingEmbedder()), book)
    await memories.remember(RememberRequest(items=(item(by_phone, "I live in Porto"),)))
    assert await recalled(memories, by_id) == set()
    for _ in range(3):  # each message carries both
        await memories.remember(RememberRequest(items=(item(by_phone, "hello"),), same=((by_phone, by_id),)))

    assert len(await book.links([by_id])) == 1
    assert (await book.links([by_id]))[0].by == PROVIDER
    fresh = Memories(memories._store, book)
    assert "I live in Porto" in await recalled(fresh, by_id)


async def test_a_merge_shows_soon_and_so_does_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "FRESH", 0.0)
    book, store = InMemoryContacts(), InMemoryStore(HashingEmbedder())
    memories = Memories(store, book)
    await store.remember([item("ana", "I live in Porto"), item("eve", "I live in Faro")])
    assert await recalled(memories, "ana") == {"I live in Porto"}
    await contacts.merge(book, "ana", "eve", by="bo", reason="", at=NOW)
    assert await recalled(memories, "ana") == {"I live in Porto", "I live in Faro"}
    await contacts.unmerge(book, "ana", "eve", by="bo", at=NOW)
    assert await recalled(memories, "ana") == {"I live in Porto"}
