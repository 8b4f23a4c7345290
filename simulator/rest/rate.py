"""The limit on actions in Conversations. https://www.twilio.com/docs/conversations/conversations-limits"""

from collections import deque

from simulator.clock import Clock
from simulator.errors import TwilioError

_SECOND = 1.0
_PER_SERVICE = frozenset({"Conversations", "ConversationWithParticipants", "Users", "Roles"})


class Rate:
    """`limit` None: there is none. Twilio's is 30 a second."""

    def __init__(self, clock: Clock, limit: int | None) -> None:
        self._clock = clock
        self._limit = limit
        self._taken: dict[tuple[str, str], deque[float]] = {}

    def take(self, method: str, parts: tuple[str, ...], service: str) -> None:
        """Counts one action; reading costs nothing. Raises TwilioError 50063."""
        if self._limit is None or method == "GET" or (bucket := _bucket(parts, service)) is None:
            return
        now = self._clock.now()
        taken = self._taken.setdefault(bucket, deque())
        while taken and taken[0] <= now - _SECOND:
            taken.popleft()
        if len(taken) >= self._limit:
            raise TwilioError(50063, "Actions per second limit exceeded", 429)
        taken.append(now)


def _bucket(parts: tuple[str, ...], service: str) -> tuple[str, str] | None:
    """What is counted together: conversations, users and roles by service; all else by conversation."""
    match parts:
        case (_, "Conversations", conversation, "Participants" | "Messages", *_):
            return "conversation", f"{service} {conversation}"
        case (_, kind, *rest) if kind in _PER_SERVICE and len(rest) <= 1:
            return "Conversations" if kind.startswith("Conversation") else kind, service
        case _:
            return None
