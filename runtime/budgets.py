"""How fast texts may come in: one sender's, and all of them. Token buckets in memory, of each API process by itself."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

# Senders whose buckets are kept, and how many may be before those that are full again are forgotten. 200 bytes each.
_SENDERS, _FEW = 20_000, 256


class Budget(StrEnum):
    """Which one is used up."""

    SENDER = "sender"
    TOTAL = "total"


@dataclass(slots=True)
class Bucket:
    """Holds at most `size` tokens and gets `rate` of them a second. With no rate it never runs dry."""

    rate: float
    size: float
    at: float
    level: float = field(init=False)

    def __post_init__(self) -> None:
        self.level = self.size

    def take(self, now: float) -> bool:
        """Whether there was one."""
        if self.rate and not self.has(now):
            return False
        self.level -= 1
        return True

    def has(self, now: float) -> bool:
        """Whether there is one."""
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        return not self.rate or self.level >= 1

    def is_full(self, now: float) -> bool:
        """Whether nothing was taken lately."""
        return self.has(now) and self.level >= self.size


class Budgets:
    """Whether a text may go on at once, and when what had to wait may.

    Args:
        sender: Texts a minute of one sender, who may send as many at once; 0 for any number.
        total: Events a second of all together; 0 for any number.
    """

    def __init__(self, *, sender: int = 0, total: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._sender, self._clock = sender, clock
        self._total = Bucket(total, total, clock())
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._slowed: dict[str, Bucket] = {}
        self._room = _FEW

    def arrive(self, sender: str | None) -> Budget | None:
        """An event has come, a text of `sender` or none of anybody's; which budget is used up."""
        if sender is not None and self._sender:
            bucket = self._bucket(sender)
            if not bucket.take(self._clock()):
                self._slowed[sender] = bucket
                return Budget.SENDER
        return None if self._total.take(self._clock()) else Budget.TOTAL

    def go_on(self, sender: str) -> bool:
        """Whether one more of those that waited may go on now."""
        now = self._clock()
        slowed = self._slowed.get(sender)
        if (slowed is None or slowed.has(now)) and self._total.take(now):
            return slowed is None or slowed.take(now)
        return False

    def waiting(self) -> list[str]:
        """The senders of whom nothing may go on now."""
        now = self._clock()
        for sender, bucket in list(self._slowed.items()):
            if bucket.is_full(now):
                del self._slowed[sender]
        return [sender for sender, bucket in self._slowed.items() if not bucket.has(now)]

    def _bucket(self, sender: str) -> Bucket:
        if sender not in self._buckets:
            self._make_room()
            self._buckets[sender] = Bucket(self._sender / 60, self._sender, self._clock())
        self._buckets.move_to_end(sender)
        return self._buckets[sender]

    def _make_room(self) -> None:
        """A full bucket need not be kept: a new one is full too."""
        if len(self._buckets) < self._room:
            return
        now = self._clock()
        for sender in [sender for sender, bucket in self._buckets.items() if bucket.is_full(now)]:
            del self._buckets[sender]
        if len(self._buckets) >= _SENDERS:
            self._buckets.popitem(last=False)
        self._room = min(_SENDERS, max(_FEW, 2 * len(self._buckets)))
