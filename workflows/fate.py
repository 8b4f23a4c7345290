"""What became of an inbound message, in a few characters: kept for as long as a repetition of it is recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Beside the outcomes of turns; these are never kept, they are so at the moment.
WAITING = "waiting"
"""In the conversation's queue."""
IN_PROGRESS = "in_progress"
"""Its turn runs."""
COALESCED = "coalesced"
"""Answered together with an earlier text, which began the turn."""
HANDLED = "handled"
"""By a version that kept no account of it, or by one of too long ago."""

# Reasons are for people who look; a thousand of them must stay small.
_REASON = 60


# A thousand of them travel with every continue-as-new, so the usual ones are a letter; any other is kept as it is.
_LETTERS: Mapping[str, str] = {
    "answered": "a",
    COALESCED: "c",
    "dropped": "d",
    "helped": "e",
    "held": "h",
    "opted_in": "i",
    "opted_out": "o",
    "parked": "p",
    "refused": "r",
}
_WORDS = {letter: word for word, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """`state` is one of the above, or an outcome of `workflows.state.Outcome`."""

    state: str
    turn: int = 0
    reason: str = ""

    def encoded(self) -> str:
        """As a conversation keeps it."""
        state = _LETTERS.get(self.state, self.state)
        return " ".join(part for part in (state, str(self.turn), self.reason[:_REASON]) if part)

    @classmethod
    def decoded(cls, text: str) -> Fate:
        """What `encoded` gave."""
        state, _, rest = text.partition(" ")
        turn, _, reason = rest.partition(" ")
        return cls(state=_WORDS.get(state, state), turn=int(turn or 0), reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which messages, by event key."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """By event key; what is not here has not come to the conversation."""

    found: Mapping[str, Fate] = field(default_factory=dict)
