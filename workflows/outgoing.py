"""What is to be sent: now, or at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from memory.item import AGENT
from workflows.policy import MessageClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message of ours. `key` identifies it for ever. A template replaces the text where the window is closed.

    `trace` is the trace context of the request that asked for it, where no turn did.
    """

    key: str
    text: str
    kind: MessageClass = MessageClass.ANSWER
    author: str = AGENT
    by: str = ""
    media: tuple[str, ...] = ()
    template: str = ""
    template_variables: Mapping[str, str] = field(default_factory=dict)
    trace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A message for later. A text of the person cancels it, unless it is to be sent whatever they write."""

    id: str
    at: datetime
    text: str
    cancelled_by_reply: bool = True
    template: str = ""
    template_variables: Mapping[str, str] = field(default_factory=dict)
