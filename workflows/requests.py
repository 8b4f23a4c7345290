"""What a human may ask of a conversation, checked before it is accepted. Errors name the field and what is allowed."""

from __future__ import annotations

from datetime import datetime

from temporalio.exceptions import ApplicationError

from memory.item import OPERATOR
from workflows import guard, ids, parts, policy, quiet, tracing
from workflows.contracts import (
    Adjustment,
    Assignment,
    ConversationStart,
    NewNote,
    OperatorReply,
    ScheduleRequest,
    Takeover,
)
from workflows.outgoing import Outgoing, Scheduled
from workflows.policy import MessageClass
from workflows.state import ConversationState


def check_takeover(state: ConversationState, request: Takeover) -> None:
    """Raises ApplicationError."""
    _named(request.assignee, "assignee: who takes over must be named")
    if state.assignee not in {None, request.assignee}:
        raise ApplicationError("assignee: somebody else has taken over; release first", type="conflict")


def check_assign(request: Assignment) -> None:
    """Raises ApplicationError."""
    _named(request.assignee, "assignee: who is to answer must be named")


def check_note(request: NewNote) -> None:
    """Raises ApplicationError."""
    _named(request.author, "author: who writes the note must be named")
    _named(request.text, "text: must not be empty")
    if len(request.text) > policy.NOTE_CHARS:
        raise ApplicationError(f"text: at most {policy.NOTE_CHARS} characters", type="invalid_input")


def check_reply(start: ConversationStart, state: ConversationState, request: OperatorReply, now: datetime) -> None:
    """Raises ApplicationError."""
    _named(request.author, "author: who writes must be named")
    _named(request.key, "key: must not be empty; the same key twice is one message")
    _sendable(request.text, request.media, request.template)
    if state.find(replies(start, state, request)[0].key) is not None:
        return  # the same again
    if state.assignee not in {None, request.author}:
        raise ApplicationError("author: somebody else has taken over; have it assigned first", type="conflict")
    if len(state.outgoing) >= policy.WAITING_REPLIES:
        raise ApplicationError("too many replies wait to be sent; try again later", type="conflict")
    if halt := guard.forbidden_to_all(start, state, now, template=bool(request.template)):
        raise ApplicationError(halt.reason, type="conflict")


def check_schedule(state: ConversationState, request: ScheduleRequest, now: datetime) -> None:
    """Raises ApplicationError."""
    _named(request.id, "id: must not be empty; the same id again replaces the message")
    _sendable(request.text, (), request.template)
    if len(parts.split(request.text)) > 1:
        raise ApplicationError(f"text: at most {parts.LIMIT} characters", type="invalid_input")
    if request.at.tzinfo is None or request.at <= now:
        raise ApplicationError("at: must be a time to come, with its offset", type="invalid_input")
    if len([s for s in state.scheduled if s.id != request.id]) >= policy.SCHEDULED:
        raise ApplicationError(f"at most {policy.SCHEDULED} messages may be scheduled", type="conflict")
    if state.opted_out:
        raise ApplicationError("the person has opted out", type="conflict")


def check_adjust(request: Adjustment) -> None:
    """Raises ApplicationError."""
    if request.time_zone:
        try:
            quiet.check_zone(request.time_zone)
        except ValueError as wrong:
            raise ApplicationError(f"time_zone: {wrong}", type="invalid_input") from None


def replies(start: ConversationStart, state: ConversationState, request: OperatorReply) -> list[Outgoing]:
    """A human's reply in parts, each with a key of its own; media and template go with the first."""
    texts = parts.by_channel(request.text, start.channel, state.rules) or ("",)
    return [
        Outgoing(
            key=ids.send_key(start.conversation_id, f"reply:{request.key}", number),
            text=text,
            kind=MessageClass.OPERATOR,
            author=OPERATOR,
            by=request.author,
            media=() if number else request.media,
            template="" if number else request.template,
            template_variables=request.template_variables,
            trace=tracing.here(),
        )
        for number, text in enumerate(texts)
    ]


def scheduled(request: ScheduleRequest) -> Scheduled:
    """What is to be sent later."""
    return Scheduled(
        id=request.id,
        at=request.at,
        text=request.text,
        cancelled_by_reply=request.cancelled_by_reply,
        template=request.template,
        template_variables=request.template_variables,
    )


def _named(value: str, otherwise: str) -> None:
    if not value.strip():
        raise ApplicationError(otherwise, type="invalid_input")


def _sendable(text: str, media: tuple[str, ...], template: str) -> None:
    if not (text.strip() or media or template):
        raise ApplicationError(
            "text: must not be empty where there is neither media nor a template", type="invalid_input"
        )
    if len(text) > policy.MAX_TEXT:
        raise ApplicationError(f"text: at most {policy.MAX_TEXT} characters", type="invalid_input")
