"""What every contact book does, whatever is behind it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from memory.contacts import ContactBook, InMemoryContacts, Link, merge, person, unmerge
from memory.qdrant_contacts import QdrantContacts
from memory.store import MemoryUnavailable
from tests.contract.memory.conftest import REMOTE, open_remote

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["twin", *REMOTE])
async def book(request: pytest.FixtureRequest) -> AsyncIterator[ContactBook]:
    if request.param == "twin":
        yield InMemoryContacts()
        return
    async with open_remote(request.param, request) as remote:
        yield QdrantContacts(remote.client, collection=remote.collection, timeout=30)


async def join(book: ContactBook, one: str, other: str, day: int = 0) -> bool:
    return await merge(book, one, other, by="bo", reason="told by phone", at=NOW + timedelta(days=day))


async def test_who_is_linked_to_nobody_is_one_id(book: ContactBook) -> None:
    assert await person(book, "ana") == ("ana",)


async def test_merged_ids_are_one_person_seen_from_each_of_them(book: ContactBook) -> None:
    assert await join(book, "ana", "ana-whatsapp")
    assert await join(book, "ana-chat", "ana-whatsapp")
    await join(book, "bob", "bob-chat")

    for one in ("ana", "ana-whatsapp", "ana-chat"):
        found = await person(book, one)
        assert found[0] == one
        assert set(found) == {"ana", "ana-whatsapp", "ana-chat"}
    assert set(await person(book, "bob")) == {"bob", "bob-chat"}
    assert await person(book, "an") == ("an",)


async def test_merging_again_changes_nothing_and_nobody_is_merged_with_themselves(book: ContactBook) -> None:
    assert await join(book, "ana", "ana-chat")
    assert not await join(book, "ana", "ana-chat", day=1)
    assert not await join(book, "ana-chat", "ana", day=2)
    assert len(await book.links(["ana"])) == 1
    with pytest.raises(ValueError, match="itself"):
        await join(book, "ana", "ana")


async def test_a_merge_is_taken_back_and_both_stay_on_record(book: ContactBook) -> None:
    await join(book, "ana", "eve")
    assert await unmerge(book, "eve", "ana", by="bo", at=NOW + timedelta(days=1)) == 1
    assert await person(book, "ana") == ("ana",)
    assert await unmerge(book, "eve", "ana", by="bo", at=NOW + timedelta(days=2)) == 0

    assert await join(book, "ana", "eve", day=3)
    assert set(await person(book, "eve")) == {"ana", "eve"}
    [first, second] = await book.links(["ana"])
    assert (first.by, first.reason, first.at) == ("bo", "told by phone", NOW)
    assert (first.ended_by, first.ended_at) == ("bo", NOW + timedelta(days=1))
    assert second.ended_at is None


async def test_erasing_one_person_leaves_the_others_links(book: ContactBook) -> None:
    await join(book, "contact-a", "contact-ab")
    await join(book, "contact-abc", "contact-abcd")
    assert await book.erase(["contact-a", "contact-ab"]) == 1
    assert await book.erase(["contact-a", "contact-ab"]) == 0
    assert await book.erase([]) == 0
    assert set(await person(book, "contact-abc")) == {"contact-abc", "contact-abcd"}


async def test_links_that_go_in_a_circle_come_to_an_end(book: ContactBook) -> None:
    for day, (one, other) in enumerate((("a", "b"), ("b", "c"), ("c", "a"))):
        await book.write(Link(one=one, other=other, at=NOW + timedelta(days=day), by="bo"))
    assert set(await person(book, "b")) == {"a", "b", "c"}


async def test_two_tenants_know_nothing_of_each_other(remote: object) -> None:
    client, name = remote.client, f"test_{uuid.uuid4().hex}"  # type: ignore[attr-defined]
    ours = QdrantContacts(client, collection=name, tenant="ours", timeout=30)
    theirs = QdrantContacts(client, collection=name, tenant="theirs", timeout=30)
    await join(ours, "ana", "ana-chat")
    assert await person(theirs, "ana") == ("ana",)
    assert await theirs.erase(["ana"]) == 0
    assert len(await ours.links(["ana"])) == 1
    await client.delete_collection(name)


async def test_a_book_that_is_away_says_so() -> None:
    book = InMemoryContacts()
    book.unavailable = MemoryUnavailable("refused")
    with pytest.raises(MemoryUnavailable):
        await person(book, "ana")
