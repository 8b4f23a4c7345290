"""A human takes over: who asked for it, who has it, and until when somebody must have answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from workflows import policy
from workflows.alert import AlertKind

if TYPE_CHECKING:
    from workflows.state import ConversationState


@dataclass(slots=True, kw_only=True)
class Handoff:
    """A conversation that is held for a human.

    `due_at` is when somebody must have answered; None while nobody waits. `overdue` says that it passed once.
    """

    reason: str
    requested_at: datetime
    due_at: datetime | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What one of us tells the others and the agent; the person never sees it."""

    author: str
    text: str
    at: datetime


def is_held(state: ConversationState) -> bool:
    """Whether the agent is to be silent."""
    return state.assignee is not None or state.handoff is not None


def request(state: ConversationState, reason: str, now: datetime, *, kind: AlertKind = AlertKind.HANDOFF) -> None:
    """Hold the conversation for a human, and tell of it. Asking twice changes nothing."""
    if state.handoff is None:
        state.handoff = Handoff(reason=reason, requested_at=now)
        state.alert(kind, now, reason)
        expect_answer(state, now)


def take(state: ConversationState, assignee: str, now: datetime) -> None:
    """Somebody answers from now on."""
    state.assignee = assignee
    if state.handoff is None:
        state.handoff = Handoff(reason="taken over", requested_at=now)


def expect_answer(state: ConversationState, now: datetime) -> None:
    """Somebody waits for a human: the clock runs, unless it does already."""
    if state.handoff is not None and state.handoff.due_at is None and state.rules.sla:
        state.handoff.due_at = now + timedelta(seconds=state.rules.sla)


def answered(state: ConversationState) -> None:
    """A human has written."""
    if state.handoff is not None:
        state.handoff.due_at, state.handoff.overdue = None, False


def check(state: ConversationState, now: datetime) -> None:
    """Tell when nobody answered in time, once for each time that somebody waits."""
    if state.handoff is not None and state.handoff.due_at is not None and state.handoff.due_at <= now:
        state.handoff.due_at, state.handoff.overdue = None, True
        state.alert(AlertKind.OVERDUE, now, f"nobody answered within {state.rules.sla:g} s")


def release(state: ConversationState) -> None:
    """The agent answers again, and the fuses are whole."""
    state.assignee = state.handoff = None
    state.sends, state.quick, state.repeats = [], 0, 0


def note(state: ConversationState, author: str, text: str, now: datetime) -> None:
    """Keep a note; the oldest are let go."""
    state.notes.append(Note(author=author, text=text[: policy.NOTE_CHARS], at=now))
    del state.notes[: -policy.NOTES]
