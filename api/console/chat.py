"""A conversation as a chat: bubbles, notes and what happened between them, in the order of time, by days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal

from runtime.dossier import Dossier
from workflows.alert import AlertKind
from workflows.parked import ParkedSummary
from workflows.state import Direction, MessageRecord, Outcome, TurnRecord

# Messages of one side that come closer than this look like one.
_TOGETHER = timedelta(minutes=2)

# Alerts that say nothing which the turn's own line does not say.
_TOLD_OTHERWISE = frozenset({AlertKind.PARKED, AlertKind.UNCERTAIN, AlertKind.UNDELIVERED, AlertKind.APPROVAL})

Side = Literal["theirs", "agent", "human"]


@dataclass(slots=True, kw_only=True)
class Bubble:
    """A message. `first` and `last` are those of a group; `turn` is there below the last of an answer."""

    message: MessageRecord
    side: Side
    first: bool = True
    last: bool = True
    turn: TurnRecord | None = None
    kind: str = "bubble"

    @property
    def at(self) -> datetime:
        """When it came or left."""
        return self.message.created_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A line that is no message: a note, an alert, how a turn without an answer ended, or one that is parked."""

    kind: str
    at: datetime
    text: str
    by: str = ""
    turn: TurnRecord | None = None
    parked: ParkedSummary | None = None


Entry = Bubble | Remark


def days(dossier: Dossier) -> list[tuple[date, list[Entry]]]:
    """Everything, oldest first, in days of UTC."""
    entries: list[Entry] = sorted([*_bubbles(dossier), *_remarks(dossier)], key=lambda entry: entry.at)
    _group(entries)
    return [(day, list(found)) for day, found in groupby(entries, key=lambda entry: entry.at.date())]


def _bubbles(dossier: Dossier) -> Iterator[Bubble]:
    ends = {message.turn: message.id for message in dossier.messages if _is_answer(message)}
    for message in dossier.messages:
        is_end = ends.get(message.turn) == message.id
        yield Bubble(message=message, side=_side(message), turn=dossier.turn(message.turn) if is_end else None)


def _remarks(dossier: Dossier) -> Iterator[Remark]:
    answered = {message.turn for message in dossier.messages if _is_answer(message)}
    parked = {one.turn for one in dossier.view.parked} if dossier.view else set()
    shown = {message.turn for message in dossier.messages}
    for turn in dossier.turns:
        silent = turn.number not in answered
        if turn.number in shown - parked and (silent or turn.outcome is not Outcome.ANSWERED):
            yield Remark(kind="turn", at=turn.ended_at, text=turn.reason, turn=turn)
    if (view := dossier.view) is None:
        return
    for one in view.parked:
        yield Remark(kind="parked", at=one.at, text=one.reason, turn=dossier.turn(one.turn), parked=one)
    for note in view.notes:
        yield Remark(kind="note", at=note.at, text=note.text, by=note.author)
    for alert in view.alerts:
        if alert.kind not in _TOLD_OTHERWISE:
            yield Remark(kind="alert", at=alert.at, text=alert.reason, by=alert.kind.value)


def _group(entries: Iterable[Entry]) -> None:
    before: Entry | None = None
    for entry in entries:
        if isinstance(entry, Bubble) and isinstance(before, Bubble) and _belong_together(before, entry):
            before.last = entry.first = False
        before = entry


def _belong_together(one: Bubble, next_one: Bubble) -> bool:
    same = one.side == next_one.side and one.message.by == next_one.message.by and one.turn is None
    return same and next_one.at - one.at < _TOGETHER and one.at.date() == next_one.at.date()


def _is_answer(message: MessageRecord) -> bool:
    return message.direction is Direction.OUTBOUND and not message.by


def _side(message: MessageRecord) -> Side:
    if message.direction is Direction.INBOUND:
        return "theirs"
    return "human" if message.by else "agent"
