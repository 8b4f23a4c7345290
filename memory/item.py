"""One remembered thing, and one recalled: an utterance, a fact about the person, or the summary of what was said.

Both travel as Temporal payloads and are imported by workflow code: standard library only, plain fields only.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

# Who said it. An operator is a person of ours.
CONTACT, AGENT, OPERATOR = "contact", "agent", "operator"

# What it is.
MESSAGE, FACT, SUMMARY = "message", "fact", "summary"

# An answer of at most so many words is about what its question is about.
_BARE = 8

# Fixed for ever: ids derived from it are the point ids of what is already stored.
_NAMESPACE = uuid.UUID("5d1f6a6e-0f0a-5c5b-9a0b-6f2d8f3e7c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryItem:
    """One thing to remember, with where it comes from: conversation, turn, time and source message.

    `id` is a UUID from `item_id`, so that writing it again overwrites itself. `role` is "contact", "agent" or
    "operator". `at` is timezone-aware. `source` is our message id or event key. `preceding` is the text of the turn
    before: a short answer ("blue, please") is found by the words of its question. `key` is what a fact is about
    ("address"): of the facts of one person and key the latest holds, and the others are kept as superseded.
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
    kind: str = MESSAGE
    preceding: str = ""
    key: str = ""

    @property
    def meaning(self) -> str:
        """What it is embedded as: a bare answer ("6 Low Moor") with its question, without which it means nothing."""
        return embedded_as(self.text, self.preceding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """One thing found again. `score` orders the results of one query and means nothing across queries.

    A fact is true from `at` until `invalid_at`, which is None for as long as nothing superseded it. A message that told
    it has the same `invalid_at`.
    """

    text: str
    role: str
    at: datetime
    channel: str
    conversation_id: str
    turn: int
    score: float
    source: str
    kind: str = MESSAGE
    key: str = ""
    preceding: str = ""
    invalid_at: datetime | None = None


def embedded_as(text: str, preceding: str) -> str:
    """As `MemoryItem.meaning`, of any text and what came before it."""
    is_answer = preceding.rstrip().endswith("?") and len(text.split()) <= _BARE
    return f"{preceding} {text}" if is_answer else text


def item_id(source: str, part: int = 0) -> str:
    """The same id for the same part of the same source, so that a repeated write overwrites itself."""
    return str(uuid.uuid5(_NAMESPACE, f"{source}\x1f{part}"))
