"""One remembered utterance, and one recalled.

Both travel as Temporal payloads and are imported by workflow code: standard library only, plain fields only.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

# Who said it. An operator is a person of ours.
CONTACT, AGENT, OPERATOR = "contact", "agent", "operator"

# Fixed for ever: ids derived from it are the point ids of what is already stored.
_NAMESPACE = uuid.UUID("5d1f6a6e-0f0a-5c5b-9a0b-6f2d8f3e7c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryItem:
    """One utterance to remember.

    `id` is a UUID from `item_id`, so that writing it again overwrites itself. `role` is "contact", "agent" or
    "operator". `at` is timezone-aware. `source` is our message id or event key. `preceding` is the text of the turn
    before: a short answer ("blue, please") is found by the words of its question.
    """

    id: str
    contact_id: str
    conversation_id: str
    channel: str
    turn: int
    role: str
    text: str
    at: datetime
    source: str
    kind: str = "message"
    preceding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """One utterance found again. `score` orders the results of one query and means nothing across queries."""

    text: str
    role: str
    at: datetime
    channel: str
    conversation_id: str
    turn: int
    score: float
    source: str
    kind: str = "message"


def item_id(source: str, part: int = 0) -> str:
    """The same id for the same part of the same source, so that a repeated write overwrites itself."""
    return str(uuid.uuid5(_NAMESPACE, f"{source}\x1f{part}"))
