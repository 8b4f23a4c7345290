"""Following things that change: one look for all who listen, and none where nobody does."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from runtime.directory import UnknownConversation
from runtime.temporal import TemporalUnreachable
from runtime.watch import AWAY, GONE, TooMany, Watch
from tests.support.ports import eventually

EVERY = timedelta(milliseconds=5)


class Thing:
    """Something to look at; `fails` is raised by each look."""

    def __init__(self) -> None:
        self.version = "1"
        self.looks: list[str] = []
        self.fails: Exception | None = None

    async def look(self, name: str) -> str:
        self.looks.append(name)
        if self.fails:
            raise self.fails
        return self.version


async def is_true(value: object) -> bool:
    return bool(value)


async def test_all_who_follow_a_thing_share_its_looks_and_hear_of_each_change() -> None:
    thing, news = Thing(), [asyncio.Event() for _ in range(5)]
    watch = Watch(thing.look, every=EVERY)
    async with AsyncExitStack() as stack:
        versions = [await stack.enter_async_context(watch.following("a", event)) for event in news]
        await asyncio.gather(*(event.wait() for event in news))
        assert [version() for version in versions] == ["1"] * 5
        assert (watch.things, len(thing.looks)) == (1, 1)
        for event in news:
            event.clear()
        thing.version = "2"
        await asyncio.gather(*(event.wait() for event in news))
        assert [version() for version in versions] == ["2"] * 5


async def test_what_nobody_follows_any_more_is_not_looked_at() -> None:
    thing = Thing()
    watch = Watch(thing.look, every=EVERY)
    async with watch.following("a", asyncio.Event()), watch.following("b", asyncio.Event()):
        await eventually(lambda: is_true({"a", "b"} <= {*thing.looks}))
    looks = len(thing.looks)
    await asyncio.sleep(EVERY.total_seconds() * 10)

    assert (watch.things, len(thing.looks)) == (0, looks)


TROUBLES = (
    (TemporalUnreachable(), AWAY),
    (RuntimeError("no connection"), AWAY),
    (UnknownConversation("a"), GONE),
    (KeyError("a mistake of ours"), AWAY),
)


@pytest.mark.parametrize(("error", "told"), TROUBLES, ids=lambda value: type(value).__name__)
async def test_a_look_that_fails_is_told_and_the_next_one_is_made_all_the_same(error: Exception, told: str) -> None:
    thing, news = Thing(), asyncio.Event()
    thing.fails = error
    async with Watch(thing.look, every=EVERY).following("a", news) as version:
        await news.wait()
        assert version() == told
        news.clear()
        thing.fails = None
        await news.wait()
        assert version() == "1"


async def test_there_is_room_for_so_many_listeners_and_again_when_one_has_left() -> None:
    watch = Watch(Thing().look, every=EVERY, most=1)
    async with watch.following("a", asyncio.Event()):
        with pytest.raises(TooMany):
            async with watch.following("b", asyncio.Event()):
                pass
    async with watch.following("b", asyncio.Event()):
        assert watch.things == 1
