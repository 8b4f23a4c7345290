"""What an agent is given and what it gives back.

Both travel as Temporal payloads and are imported by workflow code: standard library only, plain fields only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from memory.item import Recalled

# What a guardrail did: the text was replaced as a whole, in part, or only looked at.
BLOCKED, REDACTED, NOTED = "blocked", "redacted", "noted"

# What became of a text, as a draft tells it.
KINDS = frozenset({"answer", "unknown", "apology", "smalltalk"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Something attached: a reference, its bytes stay at the provider.

    `kind` is image, audio, video, document or other. `heard` is what a voice note says, where something could turn it
    into text.
    """

    kind: str
    url: str = ""
    content_type: str = ""
    heard: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One thing somebody said. `role` is "contact", "agent" or "operator"; `at` is timezone-aware where known.

    `media` is what came along; only the newest messages have it.
    """

    role: str
    text: str
    at: datetime | None = None
    channel: str = ""
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The contact's turn that wants a reply.

    `messages` are the new texts, `text` the same joined by newlines. `history` is the recent window before them,
    oldest first. `recalled` comes from memory, best first, and may reach across conversations and channels.
    `attempt` counts from 1. `flow` is the name of the flow that runs. `summary` tells in short what was
    said in this conversation before `history`.
    """

    text: str
    messages: tuple[Utterance, ...] = ()
    history: tuple[Utterance, ...] = ()
    recalled: tuple[Recalled, ...] = ()
    channel: str = ""
    contact_id: str = ""
    conversation_id: str = ""
    attempt: int = 1
    flow: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A statement about the person that is worth keeping. `key` is what it is about ("name", "address")."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A guardrail that fired: which `check`, what it did (BLOCKED, REDACTED or NOTED), and why.

    The reason names the rule, never what was written.
    """

    check: str
    action: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A reply not yet sent.

    `sources` name what it rests on, for the operator: "file: heading" of the knowledge base, "conversation", or
    "memory:" and a source. `kind` is one of KINDS; "unknown" says that it does not know. `usage` counts what it cost,
    by the engine's own names, `cost` is in US dollars where the price is known. `handoff` says why a human should go
    on from here, if one should: after this draft the agent is silent until they release it, and its text may be empty.
    `facts` are what the person told about themselves. `firings` are the guardrails that fired. `media` are public URLs
    of what is sent along.
    """

    text: str
    sources: tuple[str, ...] = ()
    kind: str = "answer"
    usage: Mapping[str, int] = field(default_factory=dict)
    cost: float | None = None
    handoff: str = ""
    facts: tuple[Learned, ...] = ()
    firings: tuple[Firing, ...] = ()
    media: tuple[str, ...] = ()
