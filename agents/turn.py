"""What an agent is given and what it gives back.

Both travel as Temporal payloads and are imported by workflow code: standard library only, plain fields only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from memory.item import Recalled


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One thing somebody said. `role` is "contact", "agent" or "operator"; `at` is timezone-aware where known."""

    role: str
    text: str
    at: datetime | None = None
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The contact's turn that wants a reply.

    `messages` are the new texts, `text` the same joined by newlines. `history` is the recent window before them,
    oldest first. `recalled` comes from memory, best first, and may reach across conversations and channels.
    `attempt` counts from 1.
    """

    text: str
    messages: tuple[Utterance, ...] = ()
    history: tuple[Utterance, ...] = ()
    recalled: tuple[Recalled, ...] = ()
    channel: str = ""
    contact_id: str = ""
    conversation_id: str = ""
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A reply not yet sent.

    `sources` name what it rests on, for the operator. `kind` is "answer", "unknown" (says that it does not know),
    "apology" or "smalltalk". `usage` counts what it cost, by the engine's own names.
    """

    text: str
    sources: tuple[str, ...] = ()
    kind: str = "answer"
    usage: Mapping[str, int] = field(default_factory=dict)
