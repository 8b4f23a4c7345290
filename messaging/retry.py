"""When to make a failed call again. Backends never do: whoever calls them decides, by this and by their config.

    attempt = 1
    while True:
        try:
            return await backend.get_conversation(sid)
        except MessagingError as error:
            seconds = retry.wait(error, backend.get_config(), attempt=attempt)
            if seconds is None:
                raise
            await asyncio.sleep(seconds)
            attempt += 1

None says that the call is not to be made again.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from messaging.config import MessagingConfig
from messaging.errors import MessagingError

# A provider that is back after an outage is asked again within this many seconds.
LONGEST = 30.0
# Callers that failed together should not come back together; a tenth is what Twilio's own advice spreads them by.
_SPREAD = 0.1


def wait(
    error: MessagingError, config: MessagingConfig, *, attempt: int, draw: Callable[[], float] = random.random
) -> float | None:
    """Seconds until the next attempt, or None where there shall be none.

    The provider's own `retry_after` counts where it is longer. What is not `retryable` is never made again: an
    ambiguous send must be looked for first (`find_message`).

    Args:
        attempt: The one that failed, from 1.
        draw: From 0 to 1.
    """
    if not error.retryable or (config.max_retries is not None and attempt > config.max_retries):
        return None
    return max(backoff(config, attempt=attempt, draw=draw), error.retry_after or 0.0)


def backoff(config: MessagingConfig, *, attempt: int, draw: Callable[[], float] = random.random) -> float:
    """Seconds after the attempt of this number, from 1: `retry_delay`, growing by `retry_backoff`, at most 30."""
    # The exponent is bounded too: a power of thousands is no float.
    grown: float = config.retry_delay * config.retry_backoff ** min(attempt - 1, 64)
    return min(grown, LONGEST) * (1 + _SPREAD * (2 * draw() - 1))
