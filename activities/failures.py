"""Errors into Temporal's ApplicationError, once: what is worth another try, when, and under which name."""

from __future__ import annotations

from datetime import timedelta

from temporalio.exceptions import ApplicationError

from agents.engine import AgentFailed
from memory.store import MemoryMismatch, MemoryUnavailable
from messaging import retry
from messaging.config import MessagingConfig
from messaging.errors import ErrorCode, MessagingError
from workflows.tool import ToolFailed

# An exception nobody classified may be a passing fault or a bug: a few tries tell, and the person is not kept waiting.
UNCLASSIFIED_ATTEMPTS = 3

# Seconds that an agent's provider may have the person wait between two attempts, however long it asks for.
LONGEST_WAIT = 120.0
LONGEST_PAUSE = 30.0

UNCERTAIN = "uncertain"
STALE = "stale"
OPTED_OUT = "opted_out"


def of_provider(error: MessagingError, config: MessagingConfig, *, attempt: int) -> ApplicationError:
    """A provider's failure. When it is tried again is the config's, or the provider's where that is later.

    What is ambiguous is tried again too, however often: the next attempt looks before it sends.
    """
    seconds = retry.wait(error, config, attempt=attempt)
    if error.ambiguous:
        seconds = max(retry.backoff(config, attempt=attempt), error.retry_after or 0.0)
    return ApplicationError(
        error.message,
        {
            "provider_code": error.provider_code,
            "status": error.status,
            "ambiguous": error.ambiguous,
            "category": error.category.value,
        },
        type=error.code.value,
        non_retryable=seconds is None,
        next_retry_delay=None if seconds is None else timedelta(seconds=seconds),
    )


def not_configured(provider: str, known: str) -> ApplicationError:
    """A conversation that came by a provider which this worker does not have."""
    return ApplicationError(
        f"provider {provider!r} is not configured here; there are: {known}",
        type=ErrorCode.INVALID_CONFIG.value,
        non_retryable=True,
    )


def uncertain(*, again_in: timedelta) -> ApplicationError:
    """A send that is neither proven nor disproven: look again later, never send."""
    return ApplicationError(
        "the provider cannot tell yet whether it has the message", type=UNCERTAIN, next_retry_delay=again_in
    )


def unseen(error: MessagingError) -> ApplicationError:
    """A send that may have left, and that nobody can look for."""
    return ApplicationError(
        f"the provider refuses to tell whether it has the message: {error.code.value}",
        type=UNCERTAIN,
        non_retryable=True,
    )


def opted_out() -> ApplicationError:
    """The message is not sent, since the person has opted out on another channel."""
    return ApplicationError(
        "the person has opted out on another channel", {"category": OPTED_OUT}, type=OPTED_OUT, non_retryable=True
    )


def stale() -> ApplicationError:
    """The message is not sent, since it comes too late to be sent as it is."""
    return ApplicationError("the message came too late", type=STALE, non_retryable=True)


def of_memory(error: MemoryUnavailable | MemoryMismatch) -> ApplicationError:
    """Memory away is worth another try; memory of another model is not."""
    return ApplicationError(str(error), type=type(error).__name__, non_retryable=isinstance(error, MemoryMismatch))


def of_tool(error: Exception, *, attempt: int) -> ApplicationError:
    """A user's tool that failed. Its text stays out, unless the tool says by `ToolFailed` that it may be read."""
    if isinstance(error, ToolFailed):
        return ApplicationError(error.reason, type="tool_failed", non_retryable=not error.retryable)
    return ApplicationError(
        "the tool raised an error that it did not classify",
        type=type(error).__name__,
        non_retryable=attempt >= UNCLASSIFIED_ATTEMPTS,
    )


def of_agent(error: Exception, *, attempt: int) -> ApplicationError:
    """An agent's failure. Its text stays out: it may hold what the person wrote."""
    if isinstance(error, AgentFailed):
        wait = _pause(attempt) if error.retry_after is None else min(error.retry_after, LONGEST_WAIT)
        return ApplicationError(
            error.reason,
            type="agent_failed",
            non_retryable=not error.retryable,
            next_retry_delay=timedelta(seconds=wait),
        )
    return ApplicationError(
        "the agent raised an error that it did not classify",
        type=type(error).__name__,
        non_retryable=attempt >= UNCLASSIFIED_ATTEMPTS,
        next_retry_delay=timedelta(seconds=_pause(attempt)),
    )


def _pause(attempt: int) -> float:
    """Seconds until an agent is asked again that did not say when. The retry policy's own are for dead workers."""
    return min(2.0 ** (attempt - 1), LONGEST_PAUSE)
