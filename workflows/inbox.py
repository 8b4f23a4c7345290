"""What reaches a conversation by signal: texts, how far our own messages got, and what the provider made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from messaging.model import ConversationState, DeliveryStatus
from workflows.policy import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A reference to inbound media; the bytes stay at the provider."""

    url: str
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One text that came in. `key` identifies it for ever; `rules` are those in force when it was accepted. `also` are
    further ids of its author's. `retry_of` is the parked turn that a human has run again, else 0.
    `participant` is the provider's name for the author, where it knows who is there. `trace` is the trace context it
    came with."""

    key: str
    sid: str
    text: str
    at: datetime
    author: str = ""
    attachments: tuple[Attachment, ...] = ()
    opt_out: str | None = None
    rules: Rules = field(default_factory=Rules)
    also: tuple[str, ...] = ()
    retry_of: int = 0
    participant: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryUpdate:
    """How far one of our messages got, found by the provider's id or by our key.

    `failure` says in a word what the provider's `error_code` asks for (blocked, window, ...), where that is known.
    `participant` is whom it did or did not reach, where there are several.
    """

    message_sid: str
    status: DeliveryStatus
    key: str | None = None
    error_code: int | None = None
    failure: str = ""
    participant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderState:
    """What the provider's own timers, or somebody at the provider, have made of the conversation."""

    state: ConversationState
