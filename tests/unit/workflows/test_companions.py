"""What runs beside the main loop ends, also when it does not hear that it was cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from workflows.companions import Companions


async def test_a_task_whose_cancellation_is_lost_ends_all_the_same() -> None:
    """As Temporal's SDK does with an activity that completes in the moment in which its task is cancelled."""
    rounds = 0

    async def does_not_hear(ended: Callable[[], bool]) -> None:
        nonlocal rounds
        while not ended():
            rounds += 1
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue

    companions = Companions(cancels=True)
    companions.start(does_not_hear(companions.are_ended))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await companions.end()

    assert rounds == 1


async def test_all_of_them_are_ended_and_an_error_of_one_is_no_others() -> None:
    async def fails() -> None:
        raise ValueError("on its own")

    async def waits() -> None:
        await asyncio.sleep(3600)

    companions = Companions(cancels=True)
    for work in (fails(), waits()):
        companions.start(work)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await companions.end()

    assert companions.are_ended()


async def test_what_they_wait_for_is_left_to_itself_and_then_they_do_nothing_more() -> None:
    waited, done = asyncio.Event(), list[str]()

    async def work(ended: Callable[[], bool]) -> None:
        await waited.wait()
        if not ended():
            done.append("something")

    companions = Companions(cancels=False)
    companions.start(work(companions.are_ended))
    await asyncio.sleep(0)
    await companions.end()
    waited.set()
    await asyncio.sleep(0)

    assert done == []
