"""Conversations that nobody uses fall asleep and then close. https://www.twilio.com/docs/conversations/states-timers

Both timers are measured from the last activity: a message, somebody who joins or leaves, an update.
"""

from collections.abc import Callable

from simulator.clock import Clock, iso, parse_duration
from simulator.records import Conversation
from simulator.store import Store

# state -> what its timers lead to
_NEXT = {"active": ("inactive", "closed"), "inactive": ("closed",)}


class Idleness:
    """`settle` moves a conversation to a state. A message costs nothing here: a timer that finds a later deadline than
    its own is set again."""

    def __init__(self, *, clock: Clock, store: Store, settle: Callable[[Conversation, str], None]) -> None:
        self._clock = clock
        self._store = store
        self._settle = settle
        self._armed: dict[str, float] = {}

    def watch(self, conversation: Conversation) -> None:
        """To be called when a conversation has appeared and when its timers or its state have changed."""
        following = _following(conversation)
        if following is None:
            return
        due, sid = following[0], conversation.sid
        if due < self._armed.get(sid, float("inf")):
            self._armed[sid] = due
            self._clock.at(due, self._look, sid, due)

    def stop(self) -> None:
        """Forgets every deadline; a timer that fires all the same finds nothing to do."""
        self._armed.clear()

    def _look(self, sid: str, armed: float) -> None:
        if self._armed.get(sid) != armed:
            return  # an earlier one has taken its place
        del self._armed[sid]
        conversation = self._store.conversations.get(sid)
        following = _following(conversation) if conversation is not None else None
        if conversation is None or following is None:
            return
        due, state = following
        if due <= armed:
            self._settle(conversation, state)
        self.watch(conversation)


def dates(conversation: Conversation) -> dict[str, str]:
    """`date_inactive` and `date_closed`, as the REST shows them."""
    return {f"date_{name}": iso(due) for name, due in _dues(conversation).items()}


def _dues(conversation: Conversation) -> dict[str, float]:
    since = conversation.active_at or conversation.updated
    seconds = {name: parse_duration(text) for name, text in conversation.timers.items()}
    return {name: since + wait for name, wait in seconds.items() if wait is not None}


def _following(conversation: Conversation) -> tuple[float, str] | None:
    """When, and into which state, unless something happens before."""
    dues = _dues(conversation)
    return min(((dues[name], name) for name in _NEXT.get(conversation.state, ()) if name in dues), default=None)
