"""What a scripted backend was told to do, and what it was asked: apart from what it does."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from messaging import errors
from messaging.backend import ConversationalBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: its operation and arguments."""

    operation: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    error: errors.MessagingError
    after_commit: bool


def _known(operation: str) -> str:
    """A misspelt operation would never fail, and its test pass for nothing."""
    known = [name for name in vars(ConversationalBackend) if not name.startswith("_")]
    if operation not in known:
        raise ValueError(f"operation: one of {', '.join(known)} expected")
    return operation


@dataclass(slots=True)
class Script:
    """Failures and delays by operation, and the record of calls."""

    calls: list[Call] = field(default_factory=list)
    _once: defaultdict[str, deque[_Failure]] = field(default_factory=lambda: defaultdict(deque))
    _always: dict[str, _Failure] = field(default_factory=dict)
    _delays: dict[str, float] = field(default_factory=dict)

    def fail(self, operation: str, *failures: errors.MessagingError, after_commit: bool = False) -> None:
        """Let the next calls fail, one by each error.

        Args:
            after_commit: Do what was asked for, and then fail: the answer got lost.
        """
        self._once[_known(operation)].extend(_Failure(error=error, after_commit=after_commit) for error in failures)

    def fail_always(self, operation: str, error: errors.MessagingError | None) -> None:
        """Let every call fail from now on; None ends it."""
        if error is None:
            self._always.pop(operation, None)
        else:
            self._always[_known(operation)] = _Failure(error=error, after_commit=False)

    def delay(self, operation: str, seconds: float) -> None:
        """Let every call take this long before anything happens."""
        self._delays[_known(operation)] = seconds

    def asked(self, operation: str) -> tuple[Call, ...]:
        """The calls of one operation, in order."""
        return tuple(call for call in self.calls if call.operation == operation)

    @asynccontextmanager
    async def frame(self, operation: str, **arguments: Any) -> AsyncIterator[None]:
        """Around what the backend does: record, delay, fail before or after."""
        self.calls.append(Call(operation=operation, arguments=arguments))
        if seconds := self._delays.get(operation):
            await asyncio.sleep(seconds)
        waiting = self._once[operation]
        failure = waiting.popleft() if waiting else self._always.get(operation)
        if failure is not None and not failure.after_commit:
            raise failure.error
        yield
        if failure is not None:
            raise failure.error
