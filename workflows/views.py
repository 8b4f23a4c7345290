"""What a conversation tells by query. No address and no text but the transcript's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workflows import guard, handoff, parked, trouble
from workflows.alert import Alert
from workflows.contracts import ConversationStart
from workflows.handoff import Note
from workflows.outgoing import Scheduled
from workflows.parked import ParkedSummary
from workflows.state import ApprovalRecord, ConversationState, MessageRecord, TurnRecord, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """Where a conversation stands.

    `pending` counts texts that no turn has taken yet, `uncertain` sends that nobody could prove. `handoff` says why a
    human is wanted, `answer_due_at` until when, `overdue` that nobody answered. `window_closes_at` is until when the
    channel takes free-form messages, where it has such a window.

    `parked` are turns that failed and wait for a human.
    `answers`, `tokens` and `cost` (US dollars, as far as known) are what its agent used so far.
    `flow` is that of the latest turn; `approvals` are the latest questions to humans, answered or not.
    """

    id: str
    contact_id: str
    channel: str
    provider: str
    state: str
    opted_out: bool
    assignee: str | None
    turn: int
    pending: int
    unremembered: int
    created_at: datetime
    updated_at: datetime
    answers: int = 0
    tokens: int = 0
    cost: float = 0.0
    flow: str = ""
    approvals: tuple[ApprovalRecord, ...] = ()
    window_closes_at: datetime | None = None
    uncertain: int = 0
    handoff: str | None = None
    answer_due_at: datetime | None = None
    overdue: bool = False
    scheduled: tuple[Scheduled, ...] = ()
    notes: tuple[Note, ...] = ()
    alerts: tuple[Alert, ...] = ()
    turn_policy: str = ""
    parked: tuple[ParkedSummary, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The most recent messages, oldest first."""

    messages: tuple[MessageRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What became of the latest turns, oldest first."""

    turns: tuple[TurnRecord, ...]


def details(start: ConversationStart, state: ConversationState) -> str:
    """Markdown for Temporal UI: where the conversation stands, and what its last turn did. No text of anybody's."""
    held = f", held for {state.assignee or 'a human'}" if handoff.is_held(state) else ""
    lines = [f"**{start.channel}**, flow `{state.flow or 'none yet'}`, turn {state.turn}{held}"]
    if state.opted_out:
        lines.append("The person has **opted out**.")
    lines += [
        f"Waits for a decision: **{a.step}**, `{a.token}`" for a in state.approvals if a.verdict is Verdict.PENDING
    ]
    if (last := state.last_turn) is not None:
        reason = f": {last.reason}" if last.reason else ""
        lines.append(f"Last turn: **{last.outcome.value}**{reason}, {last.drafts} drafts")
        lines.append("")  # Markdown begins a list after an empty line
        lines += [f"- guard: {guard_reason}" for guard_reason in last.guards]
        lines += [f"- {step.name}: {step.status} {step.reason}".rstrip() for step in last.steps]
    return "\n".join(f"{line}  " if not line.startswith("- ") else line for line in lines)


def view(start: ConversationStart, state: ConversationState) -> ConversationView:
    """The state as others may see it."""
    return ConversationView(
        id=start.conversation_id,
        contact_id=start.contact_id,
        channel=start.channel,
        provider=start.route.provider,
        state="closed" if not state.open else "inactive" if state.inactive else "active",
        opted_out=state.opted_out,
        assignee=state.assignee,
        turn=state.turn,
        pending=len(state.pending),
        unremembered=len(state.backlog),
        created_at=state.created_at,
        updated_at=state.updated_at,
        answers=state.spending.total.answers,
        tokens=state.spending.total.tokens,
        cost=state.spending.total.cost,
        flow=state.flow,
        approvals=tuple(state.approvals),
        window_closes_at=guard.window_closes_at(start, state),
        uncertain=trouble.uncertain(state),
        handoff=state.handoff.reason if state.handoff else None,
        answer_due_at=state.handoff.due_at if state.handoff else None,
        overdue=state.handoff.overdue if state.handoff else False,
        scheduled=tuple(state.scheduled),
        notes=tuple(state.notes),
        alerts=tuple(state.alerts),
        turn_policy=state.turn_policy.value,
        parked=parked.listed(state).turns,
    )
