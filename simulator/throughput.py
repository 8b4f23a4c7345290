"""How fast a sender may send, and its queue of four hours. https://www.twilio.com/docs/messaging/guides/scaling-queueing-latency"""

from collections.abc import Mapping

from simulator import address
from simulator.clock import Clock
from simulator.store import Store

QUEUE = 4 * 3600
"""Seconds of sending that fit into a sender's queue; what is beyond is refused.
https://www.twilio.com/docs/api/errors/21611"""


class Throughput:
    """`rates`: channel -> segments a second of each sender; a channel that is not there has no limit. A number may have
    a rate of its own."""

    def __init__(self, *, clock: Clock, store: Store, rates: Mapping[str, float]) -> None:
        self._clock = clock
        self._store = store
        self._rates = rates
        self._free: dict[str, float] = {}
        """sender -> when its queue will be empty"""

    def full(self, sender: str) -> bool:
        return self._free.get(sender, 0.0) - self._clock.now() > QUEUE

    def enter(self, sender: str, segments: int, at: float | None = None) -> float | None:
        """When a message leaves the queue that it enters now, or that it had entered before a restart and leaves `at`
        that time. None: there is no queue."""
        rate = self._rate(sender)
        if rate is None:
            return None
        start = at if at is not None else max(self._clock.now(), self._free.get(sender, 0.0))
        self._free[sender] = max(self._free.get(sender, 0.0), start + segments / rate)
        return start

    def clear(self) -> None:
        self._free.clear()

    def _rate(self, sender: str) -> float | None:
        number = self._store.number(sender)
        if number is not None and number.messages_per_second is not None:
            return number.messages_per_second
        return self._rates.get(address.channel(sender))
