"""What a list shows of a conversation: a few numbers and how its last message begins. Small, for many are asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workflows import guard, trouble
from workflows.contracts import ConversationStart
from workflows.state import ConversationState, Verdict

# What two lines of a list hold.
_CHARS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Where a conversation stands, in short.

    `said` is the beginning of the last message, `author` of "contact", "agent" or "operator", and `media` how many
    files came with it. `failed` and `uncertain` count as `workflows.trouble` does, `questions` those that wait for a
    human's decision.
    """

    updated_at: datetime
    said: str = ""
    author: str = ""
    by: str = ""
    status: str = ""
    media: int = 0
    pending: int = 0
    failed: int = 0
    uncertain: int = 0
    questions: int = 0
    opted_out: bool = False
    assignee: str | None = None
    handoff: str | None = None
    answer_due_at: datetime | None = None
    overdue: bool = False
    window_closes_at: datetime | None = None


def glanced(start: ConversationStart, state: ConversationState) -> Glance:
    """The state in short."""
    last = state.messages[-1] if state.messages else None
    return Glance(
        updated_at=state.updated_at,
        said=" ".join(last.body.split())[:_CHARS] if last else "",
        author=last.author if last else "",
        by=last.by if last else "",
        status=last.status if last else "",
        media=len(last.media) if last else 0,
        pending=len(state.pending),
        failed=trouble.failed(state),
        uncertain=trouble.uncertain(state),
        questions=sum(question.verdict is Verdict.PENDING for question in state.approvals),
        opted_out=state.opted_out,
        assignee=state.assignee,
        handoff=state.handoff.reason if state.handoff else None,
        answer_due_at=state.handoff.due_at if state.handoff else None,
        overdue=state.handoff.overdue if state.handoff else False,
        window_closes_at=guard.window_closes_at(start, state),
    )
