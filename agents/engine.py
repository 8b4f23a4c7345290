"""The port that turns a contact's turn into a reply."""

from __future__ import annotations

from typing import Protocol

from agents.turn import Draft, Turn


class AgentFailed(Exception):
    """No reply came out. `retryable` is decided here, where the cause is known; `reason` holds no message content.

    `retry_after` is in seconds, where somebody asked for a wait.
    """

    def __init__(self, reason: str, *, retryable: bool, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        self.retry_after = retry_after


class ReplyEngine(Protocol):
    """Answers one turn. It may run more than once for the same turn: it has no side effects on the world."""

    async def reply(self, turn: Turn) -> Draft:
        """A non-empty draft. Raises AgentFailed."""
        ...
