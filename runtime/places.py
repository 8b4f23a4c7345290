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
# Raised by `activities.failures` from one of ours, or with a sentence that is written there.
_OF_ACTIVITIES = ApplicationError


def without_words(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` and any text of a traceback by kinds and places. A structlog processor."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_told(link) for link in _chain(error))
    return event


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it, latest first; the length is bounded, a chain may be a ring."""
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _told(error: BaseException) -> str:
    named = type(error).__qualname__
    if isinstance(error, (*_OURS, _OF_ACTIVITIES)):
        named = f"{named}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    return "\n".join([named, *(f"  at {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)])
