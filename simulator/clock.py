"""The one place that knows the time, and Twilio's three ways to write it."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache


class Clock:
    """Seconds since 1970, as a float. A virtual clock takes this place later."""

    def now(self) -> float:
        return time.time()


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
    """Seconds since 1970, or None when the text is no ISO-8601 instant."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


# Many messages share a second, so the last few texts are kept.
@lru_cache(maxsize=64)
def _rfc2822(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))


@lru_cache(maxsize=64)
def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
