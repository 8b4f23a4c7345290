"""The one place that knows the time, and Twilio's three ways to write it.

Time runs with the real clock plus an offset. It can be set forward: what falls due on the way happens in its order,
each thing at its own instant, as if the time had passed. It can stand still, and then nothing falls due by itself.
"""

import asyncio
import heapq
import math
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from itertools import count
from typing import Any

_DURATION = re.compile(
    r"P(?:(?P<W>\d+)W)?(?:(?P<D>\d+)D)?(?:T(?:(?P<H>\d+)H)?(?:(?P<M>\d+)M)?(?:(?P<S>\d+(?:\.\d+)?)S)?)?"
)
_SECONDS = {"W": 604_800, "D": 86_400, "H": 3_600, "M": 60, "S": 1}
FAR = 4_102_444_800.0
"""2100-01-01: the farthest that a clock can be set; all of Twilio's ways to write dates can still write it."""


class Timer:
    """Something that falls due once."""

    __slots__ = ("_call", "_with", "due")

    def __init__(self, due: float, call: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        self.due = due
        self._call: Callable[..., object] | None = call
        self._with = arguments

    def cancel(self) -> None:
        self._call, self._with = None, ()

    def fire(self) -> None:
        call, arguments = self._call, self._with
        self.cancel()
        if call is not None:
            call(*arguments)


class Clock:
    """Seconds since 1970, as floats. Timers need a running event loop."""

    def __init__(self) -> None:
        self.offset = 0.0
        """Seconds ahead of the real time; while the clock stands still, as it was when it stopped."""
        self._still: float | None = None
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = count()  # timers of the same instant fire in the order in which they were made
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf

    def now(self) -> float:
        return time.time() + self.offset if self._still is None else self._still

    @property
    def paused(self) -> bool:
        return self._still is not None

    def at(self, due: float, call: Callable[..., object], *arguments: Any) -> Timer:
        timer = Timer(due, call, arguments)
        heapq.heappush(self._heap, (due, next(self._order), timer))
        if due < self._alarm_at:
            self._arm()
        return timer

    def after(self, seconds: float, call: Callable[..., object], *arguments: Any) -> Timer:
        return self.at(self.now() + seconds, call, *arguments)

    async def sleep(self, seconds: float) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.after(seconds, waiting.set_result, None)
        try:
            await waiting
        finally:
            timer.cancel()

    def pause(self) -> None:
        if self._still is None:
            self._still = self.now()
            self._disarm()

    def resume(self) -> None:
        if self._still is not None:
            self.offset = self._still - time.time()
            self._still = None
            self._arm()

    def forward(self, to: float) -> None:
        """Sets the time. What is due until then fires first, each at its own instant. The time never goes back."""
        paused = self.paused
        self.pause()
        self._fire(to)
        self._still = max(self.now(), to)
        self.offset = self._still - time.time()
        if not paused:
            self.resume()

    def restore(self, offset: float, still: float | None) -> None:
        """Takes up what a clock before a restart showed."""
        self.offset, self._still = offset, still

    def reset(self) -> None:
        """The real time again, and nothing falls due any more."""
        for _, _, timer in self._heap:
            timer.cancel()
        self._heap.clear()
        self._disarm()
        self.offset, self._still = 0.0, None

    def _fire(self, until: float) -> None:
        while self._heap and self._heap[0][0] <= until:
            due, _, timer = heapq.heappop(self._heap)
            if self._still is not None:
                self._still = max(self._still, due)
            timer.fire()

    def _arm(self) -> None:
        self._disarm()
        if self._heap and self._still is None:
            self._alarm_at = self._heap[0][0]
            self._alarm = asyncio.get_running_loop().call_later(max(0.0, self._alarm_at - self.now()), self._ring)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._alarm_at = None, math.inf

    def _ring(self) -> None:
        self._alarm, self._alarm_at = None, -math.inf  # what is made meanwhile needs no alarm of its own
        try:
            self._fire(self.now())
        finally:
            self._arm()


def rfc2822(at: float) -> str:
    """As the 2010 API writes dates: `Thu, 24 Aug 2023 05:01:45 +0000`."""
    return _rfc2822(int(at))


def iso(at: float) -> str:
    """As the v1 APIs write dates: `2015-12-16T22:18:37Z`."""
    return _iso(int(at))


def iso_ms(at: float) -> str:
    """As Conversations webhooks write dates: `2015-12-16T22:18:37.123Z`."""
    return f"{_iso(int(at))[:-1]}.{int(at * 1000) % 1000:03d}Z"


def parse_iso(text: str) -> float | None:
    """Seconds since 1970, or None when the text is no ISO-8601 instant in the years 1 to 9999."""
    try:
        moment = datetime.fromisoformat(text)
        # In UTC, so that what cannot be written there is refused here.
        return (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def parse_duration(text: str) -> float | None:
    """Seconds of an ISO-8601 duration of weeks, days, hours, minutes and seconds; None when it is none."""
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith("T") or not any(match.groups()):
        return None
    return sum(float(value) * _SECONDS[unit] for unit, value in match.groupdict().items() if value)


# Many messages share a second, so the last few texts are kept.
@lru_cache(maxsize=64)
def _rfc2822(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))


@lru_cache(maxsize=64)
def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
