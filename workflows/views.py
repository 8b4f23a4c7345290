"""What a conversation tells by query. No address and no text but the transcript's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workflows.contracts import ConversationStart
from workflows.state import ApprovalRecord, ConversationState, MessageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """Where a conversation stands. `pending` counts texts that no turn has taken yet.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The most recent messages, oldest first."""

    messages: tuple[MessageRecord, ...]


def view(start: ConversationStart, state: ConversationState) -> ConversationView:
    """The state as others may see it."""
    return ConversationView(
        id=start.conversation_id,
        contact_id=start.contact_id,
        channel=start.channel,
        provider=start.route.provider,
        state="active" if state.open else "closed",
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
    )
