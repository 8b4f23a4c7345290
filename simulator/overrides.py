"""How patient Twilio is with a webhook, and when it tries again.

https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from simulator import digits
from simulator.config import SimulatorConfig

OUTCOMES = ("ct", "rt", "4xx", "5xx")
"""What a retry policy names: no connection, no answer in time, an answer that is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds, counts, and which outcomes are worth another attempt."""

    connect: float
    read: float
    total: float
    retries: int
    on: frozenset[str]

    def tries_again(self, outcome: str) -> bool:
        return outcome in self.on or ("all" in self.on and outcome in OUTCOMES)


class Overrides:
    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self._of = lru_cache(maxsize=256)(self._read)
        # Fixed by the product, and deaf to fragments.
        self._conversations = Patience(
            connect=config.conversations_webhook_timeout,
            read=config.conversations_webhook_timeout,
            total=config.conversations_webhook_timeout,
            retries=config.webhook_retries,
            on=config.webhook_retry_policy,
        )

    def patience(self, url: str, *, conversations: bool) -> Patience:
        """Of a URL as it was configured, with its fragment."""
        return self._conversations if conversations else self._of(url.partition("#")[2])

    def _read(self, fragment: str) -> Patience:
        wanted, config = dict(parse_qsl(fragment)), self._config
        most = config.webhook_timeout
        return Patience(
            connect=_between(wanted.get("ct"), 100, 10_000, 5_000) / 1000,
            read=min(most, _between(wanted.get("rt"), 100, 15_000, 15_000) / 1000),
            total=min(most, _between(wanted.get("tt"), 100, 15_000, 15_000) / 1000),
            retries=_between(wanted.get("rc"), 0, 5, config.webhook_retries),
            on=frozenset(wanted["rp"].split(",")) if "rp" in wanted else config.webhook_retry_policy,
        )


def _between(text: str | None, low: int, high: int, default: int) -> int:
    """A value that is no number counts as not given; one beyond its range as the end of the range."""
    number = digits.whole(text or "")
    return default if number is None else max(low, min(high, number))
