"""Exceptions as a log may show them: what kind, and where. Their words may be those of a person.

An agent that fails on a text often repeats it in its message. Errors of our own name fields and rules, never contents,
so their messages stay.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

from temporalio.exceptions import ApplicationError

from agents.engine import AgentFailed
from memory.store import MemoryMismatch, MemoryUnavailable
from messaging.errors import MessagingError
from runtime.settings import SettingsError

_OURS = (MessagingError, MemoryUnavailable, MemoryMismatch, AgentFailed, SettingsError)


def without_words(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by kinds and places. A structlog processor."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        # What leaves an activity has a sentence of `activities.failures`; one further in may be a user's own.
        first = isinstance(error, ApplicationError)
        event["exception"] = "\n".join(_told(e, spoken=first and e is error) for e in _chain(error))
    return event


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it, latest first; the length is bounded, a chain may be a ring."""
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _told(error: BaseException, *, spoken: bool) -> str:
    named = type(error).__qualname__
    if spoken or isinstance(error, _OURS):
        named = f"{named}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    return "\n".join([named, *(f"  at {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)])
