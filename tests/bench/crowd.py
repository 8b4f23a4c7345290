"""The people who text: what they sent, what came back, and whether that is each text answered once and in order."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from temporalio.service import RPCError

from tests.bench import tag
from tests.bench.tag import Tag

# Longer than any retry of a healthy stack; what has not come by then counts as missing.
PATIENCE = 30.0

_TEXT = (
    "when do you open on sunday can i return the blue lamp that came broken my order number is what about delivery to "
    "the island thanks please tell me more about your garden chairs and who fixes bicycles near the station tomorrow"
)
_WORDS = _TEXT.split()

Send = Callable[[int, str], Awaitable[None]]


@dataclass(slots=True)
class Exchange:
    """One text. Times are `time.monotonic_ns`; 0 is not yet."""

    tag: Tag
    sent: int = 0
    acked: int = 0
    arrived: int = 0


class Crowd:
    """`send` hands a person's text over and returns once it is taken."""

    def __init__(self, name: str, *, people: int, seed: int) -> None:
        self.name = name
        self.people = people
        self.exchanges: dict[Tag, Exchange] = {}
        self._sent: Counter[int] = Counter()
        self._random = random.Random(seed)
        self._waiting: dict[Tag, asyncio.Future[None]] = {}
        self._answers: list[Tag] = []
        self._strays: list[str] = []
        self._lost: list[str] = []

    async def text(self, person: int, send: Send) -> Exchange | None:
        """Send one text and wait for its answer; None if none came."""
        exchange = Exchange(Tag(person, self._sent[person]))
        self._sent[person] += 1
        self.exchanges[exchange.tag] = exchange
        answered = self._waiting[exchange.tag] = asyncio.get_running_loop().create_future()
        words = " ".join(self._random.choices(_WORDS, k=self._random.randint(5, 14)))
        exchange.sent = time.monotonic_ns()
        try:
            async with asyncio.timeout(PATIENCE):
                await send(person, f"{words} {exchange.tag}")
                exchange.acked = time.monotonic_ns()
                await answered
        except (TimeoutError, httpx.HTTPError, RPCError) as error:
            self._lost.append(f"{exchange.tag} {type(error).__name__}: {error}")
            return None
        return exchange

    def arrived(self, at: int, body: str) -> None:
        """An answer was seen. One to several texts answers each of them."""
        tags = tag.find(body)
        if not tags:
            self._strays.append(body)
        for found in tags:
            self._answers.append(found)
            exchange = self.exchanges.get(found)
            if exchange is None or exchange.arrived:
                continue
            exchange.arrived = at
            if not self._waiting[found].done():
                self._waiting[found].set_result(None)

    def faults(self) -> list[str]:
        """What went wrong, a sentence each; empty if every text was answered exactly once, in order per person."""
        counts = Counter(self._answers)
        missing = sorted(set(self.exchanges) - set(counts))
        doubled = sorted(found for found, count in counts.items() if count > 1)
        unknown = sorted(set(counts) - set(self.exchanges))
        mixed = [person for person in range(self.people) if not self._is_in_order(person)]
        said = {
            "not taken, or not answered in time": self._lost,
            "never answered": missing,
            "answered more than once": doubled,
            "answered but never sent": unknown,
            "answers out of order, by person": mixed,
            "answers to no text": self._strays,
        }
        return [f"{self.name}: {what}: {len(who)} ({_some(who)})" for what, who in said.items() if who]

    def _is_in_order(self, person: int) -> bool:
        numbers = [found.number for found in self._answers if found.person == person]
        return numbers == sorted(numbers)


def _some(things: list[object]) -> str:
    shown = ", ".join(str(thing) for thing in things[:5])
    return f"{shown}, ..." if len(things) > 5 else shown
