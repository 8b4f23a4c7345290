"""What a workflow tells of itself, for traces and metrics: plain facts, handed to a function of the worker.

Told once, when it has happened: never in a replay. Where no worker listens, nothing is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from temporalio import workflow

# The name of the worker's function among the extern functions of its workflows.
TELL = "messaging_tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """One step of a turn. `context` and `parent` are those of its span; see `workflows.tracing`."""

    conversation_id: str
    name: str
    status: str
    started_at: datetime
    ended_at: datetime
    context: str
    parent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """One turn. `links` are the contexts of the texts that came after its first.

    `waited` is the time from the receipt of the first text until the provider had taken the last part of the answer,
    in seconds; None where nothing was sent. `usage` and `cost` (US dollars) are of all its drafts.
    """

    conversation_id: str
    channel: str
    provider: str
    number: int
    outcome: str
    texts: int
    drafts: int
    started_at: datetime
    ended_at: datetime
    waited: float | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    cost: float | None = None
    context: str = ""
    parent: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEnded:
    """One message of ours: what it was, and how its sending was proven, by names of `MessageClass` and `Proof`."""

    channel: str
    kind: str
    proof: str


Told = StepEnded | TurnEnded | SendEnded


def tell(what: Told) -> None:
    """Tell it, unless this is only a replay of it."""
    listener = workflow.extern_functions().get(TELL)
    if listener is not None and not workflow.unsafe.is_replaying():
        with workflow.unsafe.sandbox_unrestricted():
            listener(what)
