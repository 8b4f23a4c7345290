"""What every store does, whatever is behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from memory.item import MemoryItem
from memory.store import MemoryStore

MakeItem = Callable[..., MemoryItem]


async def test_what_was_remembered_is_recalled_with_all_that_was_known_about_it(
    store: MemoryStore, make_item: MakeItem
) -> None:
    item = make_item("My order number is 4711", turn=3)
    await store.remember([item])
    [found] = await store.recall("What was my order number?", contact_id="ana")
    assert (found.text, found.role, found.at, found.channel) == (item.text, "contact", item.at, "sms")
    assert (found.conversation_id, found.turn, found.source, found.kind) == (
        item.conversation_id,
        3,
        item.source,
        "message",
    )


async def test_remembering_again_changes_nothing(store: MemoryStore, make_item: MakeItem) -> None:
    item = make_item("I live in Porto")
    await store.remember([item])
    await store.remember([item, item])
    assert len(await store.recall("Porto", contact_id="ana")) == 1
    assert await store.forget("ana") == 1


async def test_the_same_id_with_another_text_replaces_it(store: MemoryStore, make_item: MakeItem) -> None:
    await store.remember([make_item("I live in Porto", source="IM1")])
    await store.remember([make_item("I live in Faro", source="IM1")])
    assert [found.text for found in await store.recall("live", contact_id="ana")] == ["I live in Faro"]


async def test_nobody_sees_what_another_said(store: MemoryStore, make_item: MakeItem) -> None:
    await store.remember([make_item("My pin is 1111", contact_id="ana"), make_item("My pin is 2222", contact_id="bob")])
    for contact_id, pin in (("ana", "1111"), ("bob", "2222")):
        found = await store.recall("My pin is 1111 2222", contact_id=contact_id)
        assert [row.text for row in found] == [f"My pin is {pin}"]
    assert await store.recall("My pin", contact_id="an") == []
    assert await store.recall("My pin", contact_id="") == []


async def test_what_the_window_holds_already_is_left_out(store: MemoryStore, make_item: MakeItem) -> None:
    await store.remember([make_item("I like tea", source="IM1"), make_item("I like coffee", source="IM2")])
    found = await store.recall("What do I like?", contact_id="ana", exclude=["IM1", "unknown"])
    assert [row.source for row in found] == ["IM2"]


async def test_forgetting_leaves_nothing_of_one_and_all_of_the_others(store: MemoryStore, make_item: MakeItem) -> None:
    await store.remember([make_item(f"note {n}") for n in range(7)])
    await store.remember([make_item("note", contact_id="bob")])
    assert await store.forget("ana") == 7
    assert await store.recall("note", contact_id="ana") == []
    assert len(await store.recall("note", contact_id="bob")) == 1
    assert await store.forget("ana") == 0


async def test_of_the_facts_about_one_thing_the_latest_holds_in_whatever_order_they_arrive(
    store: MemoryStore, make_item: MakeItem
) -> None:
    towns = ["Porto", "Faro", "Braga"]
    facts = [
        make_item(f"I live in {town}", turn=turn, kind="fact", key="home", source=f"IM{turn}")
        for turn, town in enumerate(towns)
    ]
    other = make_item("I drive a Mini", turn=1, kind="fact", key="car")
    bobs = make_item("I live in Porto", turn=0, kind="fact", key="home", contact_id="bob")
    for fact in (facts[2], other, facts[0], bobs, facts[1], facts[2]):
        await store.remember([fact])

    found = await store.recall("live Porto Faro Braga", contact_id="ana", limit=9)
    assert {row.text for row in found} == {"I live in Braga", "I drive a Mini"}
    assert [row.text for row in await store.recall("live", contact_id="bob")] == ["I live in Porto"]
    homes = [row for row in await store.all_of("ana") if row.key == "home"]
    assert [(row.text, row.invalid_at) for row in homes] == [
        ("I live in Porto", facts[1].at),
        ("I live in Faro", facts[2].at),
        ("I live in Braga", None),
    ]


async def test_all_of_one_person_comes_whole_and_in_the_order_of_time(store: MemoryStore, make_item: MakeItem) -> None:
    await store.remember([make_item(f"note {n}", turn=n) for n in reversed(range(600))])
    await store.remember([make_item("note", contact_id="ana-maria"), make_item("note", contact_id="an")])
    assert [row.turn for row in await store.all_of("ana")] == list(range(600))
    assert await store.all_of("a") == []


async def test_further_ids_of_a_person_are_searched_along(store: MemoryStore, make_item: MakeItem) -> None:
    for who in ("ana", "ana-by-whatsapp", "bob"):
        await store.remember([make_item(f"a note of {who}", contact_id=who)])
    found = await store.recall("note", contact_id="ana", also=["ana-by-whatsapp"])
    assert {row.text for row in found} == {"a note of ana", "a note of ana-by-whatsapp"}


async def test_forgetting_touches_nobody_whose_id_looks_alike(store: MemoryStore, make_item: MakeItem) -> None:
    alike = ["contact-ab", "contact-a", "contact", "contact-abcd", "contact-ABC", "contact-abc ", "xcontact-abc", ""]
    people = ["contact-abc", *alike]
    await store.remember([make_item(f"note {n}", contact_id=who) for who in people for n in range(5)])
    before = {who: await store.all_of(who) for who in alike}

    assert await store.forget("contact-abc") == 5
    assert await store.all_of("contact-abc") == []
    assert {who: await store.all_of(who) for who in alike} == before
    assert [len(rows) for rows in before.values()] == [5] * len(alike)


async def test_names_and_numbers_are_found_by_their_words(store: MemoryStore, make_item: MakeItem) -> None:
    await store.remember([make_item(f"Something about topic number {n}") for n in range(20)])
    await store.remember([make_item("The code is XK99-B")])
    found = await store.recall("XK99-B", contact_id="ana", limit=3)
    assert found[0].text == "The code is XK99-B"


async def test_a_short_answer_is_found_by_the_question_before_it(store: MemoryStore, make_item: MakeItem) -> None:
    await store.remember([make_item(f"Let us talk about item {n}") for n in range(10)])
    await store.remember([make_item("the blue one please", preceding="Which helmet colour would you like?")])
    found = await store.recall("helmet colour", contact_id="ana", limit=2)
    assert "the blue one please" in [row.text for row in found]


async def test_the_best_come_first_and_no_more_than_asked_for(store: MemoryStore, make_item: MakeItem) -> None:
    await store.remember([make_item(f"My favourite number is {n}") for n in range(12)])
    found = await store.recall("favourite number", contact_id="ana", limit=4)
    assert len(found) == 4
    assert [row.score for row in found] == sorted((row.score for row in found), reverse=True)


async def test_questions_of_stop_words_and_odd_characters_do_no_harm(store: MemoryStore, make_item: MakeItem) -> None:
    texts = ["the and of", "🙂🙂", "ünïcödé 語", "'; DROP TABLE x; --", "a" * 5_000, "line\nbreak\x00"]
    await store.remember([make_item(text, source=f"IM{n}") for n, text in enumerate(texts)])
    for text in texts:
        assert text in [row.text for row in await store.recall(text, contact_id="ana", limit=6)]


async def test_nothing_remembered_nothing_recalled(store: MemoryStore) -> None:
    await store.remember([])
    assert await store.recall("anything", contact_id="ana") == []
    assert await store.forget("ana") == 0


async def test_many_at_once_all_arrive(store: MemoryStore, make_item: MakeItem) -> None:
    people = [f"contact-{n}" for n in range(8)]
    await asyncio.gather(
        *(store.remember([make_item(f"note {n}", contact_id=who) for n in range(10)]) for who in people)
    )
    found = await asyncio.gather(*(store.recall("note", contact_id=who, limit=20) for who in people))
    assert [len(rows) for rows in found] == [10] * len(people)


async def test_more_than_a_batch_is_remembered_whole(store: MemoryStore, make_item: MakeItem) -> None:
    await store.remember([make_item(f"note {n}") for n in range(150)])
    assert await store.forget("ana") == 150
