"""Two ways to load a row: at a quiet pace, for latency; and closed loop, for what it can take."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.bench.crowd import Crowd, Exchange, Send


async def greet(crowd: Crowd, send: Send) -> None:
    """One text from everybody, one person after the other: from then on every conversation is known."""
    for person in range(crowd.people):
        if await crowd.text(person, send) is None:
            raise RuntimeError(f"{crowd.name}: a first text was not answered; " + "; ".join(crowd.faults()))


async def paced(crowd: Crowd, send: Send, *, rate: float, seconds: float) -> list[Exchange]:
    """`rate` texts a second, from one person after the other, whether or not answers keep up."""
    loop = asyncio.get_running_loop()
    start, texts = loop.time(), []
    for number in range(max(1, round(rate * seconds))):
        await asyncio.sleep(start + number / rate - loop.time())
        texts.append(asyncio.create_task(crowd.text(number % crowd.people, send)))
    return _answered(await asyncio.gather(*texts))


async def saturated(crowd: Crowd, send: Send, *, messages: int) -> list[Exchange]:
    """Everybody sends their next text when the answer has arrived, until `messages` have been sent."""
    left = iter(range(messages))

    async def chat(person: int) -> list[Exchange | None]:
        # The iterator is shared: nobody runs on alone at the end.
        return [await crowd.text(person, send) for _ in left]

    chats = await asyncio.gather(*(chat(person) for person in range(crowd.people)))
    return _answered([exchange for one in chats for exchange in one])


def _answered(exchanges: Sequence[Exchange | None]) -> list[Exchange]:
    return [exchange for exchange in exchanges if exchange is not None]
