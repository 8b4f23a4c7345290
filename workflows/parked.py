"""Turns that failed: kept with their reason and their texts until a human has them run again, or lets them go."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio.exceptions import ApplicationError

from workflows import policy
from workflows.fate import Fate
from workflows.handoff import is_held
from workflows.inbox import Inbound
from workflows.policy import MessageClass
from workflows.state import ConversationState, Direction, Outcome, ParkedText, ParkedTurn, Proof, TurnRecord

if TYPE_CHECKING:
    from workflows.context import TurnContext

_NOTHING_LEFT = frozenset({Proof.INTENDED.value, Proof.FAILED.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Run the texts of this parked turn again. `even_if_sent`: though the person may have its answer already."""

    turn: int
    by: str
    even_if_sent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Let this parked turn go: nothing more is done for its texts."""

    turn: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedSummary:
    """A parked turn as lists show it, without what was said. `texts` counts those that can run again; `sent` says that
    something of its answer has left, or may have."""

    turn: int
    reason: str
    at: datetime
    texts: int
    sent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedTurns:
    """Those of a conversation, oldest first."""

    turns: tuple[ParkedSummary, ...] = ()


def park(turn: TurnContext, keys: Collection[str], texts: Collection[Inbound], now: datetime) -> None:
    """Keep a turn that has just ended so. `keys` are those of all its texts, `texts` what there was to answer."""
    state = turn.state
    parked = ParkedTurn(
        turn=state.turn,
        reason=turn.reason[: policy.PARKED_REASON],
        at=now,
        keys=tuple(keys),
        texts=tuple(_kept(text) for text in texts),
        sent=_may_have_left(state),
    )
    state.parked = [*state.parked, parked][-policy.PARKED_TURNS :]
    room = policy.PARKED_CHARS
    for one in reversed(state.parked):
        room -= sum(len(text.text) for text in one.texts)
        if room < 0:
            one.texts = ()  # listed, but too old to run again


def retry(state: ConversationState, request: Retry) -> None:
    """Put its texts into the queue, as a turn of their own."""
    found = _find(state, request.turn)
    state.parked.remove(found)
    rules = state.rules
    for text in found.texts:
        state.pending.append(
            Inbound(
                key=text.key,
                sid=text.sid,
                text=text.text,
                at=text.at,
                author=text.author,
                attachments=text.attachments,
                rules=rules,
                retry_of=found.turn,
            )
        )
    _tell(state, found, f"run again by {request.by}")


def drop(state: ConversationState, request: Drop) -> None:
    """Forget its texts, and say who did."""
    found = _find(state, request.turn)
    state.parked.remove(found)
    reason = _tell(state, found, f"dropped by {request.by}")
    for record in _records(state, found.turn):
        record.outcome = Outcome.DROPPED
    for key in found.keys:
        state.settle(key, Fate(state=Outcome.DROPPED.value, turn=found.turn, reason=reason))
        if (message := state.find(key)) is not None:
            message.status, message.reason = Outcome.DROPPED.value, reason


def check_retry(state: ConversationState, request: Retry) -> None:
    """Whether it can run again.

    Raises:
        ApplicationError: `invalid_input`, `turn_not_parked` or `conflict`, naming the field.
    """
    found = _check(state, request.turn, request.by)
    if not found.texts:
        raise ApplicationError("turn: its texts are not kept any more; drop it, and write to the person", type="gone")
    if found.sent and not request.even_if_sent:
        raise ApplicationError(
            "even_if_sent: something of its answer has left, or may have; drop it, or set this", type="conflict"
        )
    if state.opted_out:
        raise ApplicationError("the person has opted out", type="conflict")
    if is_held(state):
        raise ApplicationError("a human has the conversation; release it first", type="conflict")


def check_drop(state: ConversationState, request: Drop) -> None:
    """Whether it is there.

    Raises:
        ApplicationError: `invalid_input` or `turn_not_parked`, naming the field.
    """
    _check(state, request.turn, request.by)


def listed(state: ConversationState) -> ParkedTurns:
    """What may be shown of them."""
    return ParkedTurns(
        turns=tuple(
            ParkedSummary(turn=one.turn, reason=one.reason, at=one.at, texts=len(one.texts), sent=one.sent)
            for one in state.parked
        )
    )


def _check(state: ConversationState, turn: int, by: str) -> ParkedTurn:
    if not by.strip():
        raise ApplicationError("by: who decides must be named", type="invalid_input")
    return _find(state, turn)


def _find(state: ConversationState, turn: int) -> ParkedTurn:
    found = next((one for one in state.parked if one.turn == turn), None)
    if found is None:
        raise ApplicationError("turn: it is not parked, or not any more", type="turn_not_parked")
    return found


def _tell(state: ConversationState, found: ParkedTurn, what: str) -> str:
    reason = f"{what}; was: {found.reason}"
    for record in _records(state, found.turn):
        record.reason = reason
    return reason


def _records(state: ConversationState, turn: int) -> list[TurnRecord]:
    """The last turn's is there twice, once it was carried to another run."""
    return [record for record in (*state.turns, state.last_turn) if record is not None and record.number == turn]


def _may_have_left(state: ConversationState) -> bool:
    """Whether something of this turn's answer may have reached the person. An apology before an answer does no harm."""
    return any(
        message.turn == state.turn
        and message.direction is Direction.OUTBOUND
        and message.kind == MessageClass.ANSWER.value
        and message.proof not in _NOTHING_LEFT
        for message in state.messages
    )


def _kept(text: Inbound) -> ParkedText:
    return ParkedText(
        key=text.key, sid=text.sid, text=text.text, at=text.at, author=text.author, attachments=text.attachments
    )
