"""What became of each of a conversation's latest turns, from the histories of its runs and what it says of itself.

Bodies are shown, numbers in them are not: an account is read over shoulders and pasted into tickets.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from runtime.histories import RunHistory
from workflows.state import Direction, MessageRecord, TurnRecord

_NUMBER = re.compile(r"\+?\d[\d\s().-]{5,}\d")
_TURN = re.compile(r"\bturn (\d+)\b")
_LOCAL = "core_local_activity"
_OWN = frozenset({"reply", "deliver", "recall", "remember", "revive", "alert"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that memory gave for a draft. `score` compares with those of the same turn only."""

    text: str
    role: str
    kind: str
    channel: str
    score: float
    at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class TurnAccount:
    """One turn. `recalled` is None where memory was not asked, and `drafts` holds each as it was written.

    `run` is the one in whose history it stands; empty where none was found, or where the agent was not asked. Turn 0 is
    what we wrote before any text came.
    """

    number: int
    run: str = ""
    outcome: str = ""
    reason: str = ""
    came: list[str] = field(default_factory=list)
    recalled: int | None = None
    memory_away: bool = False
    hits: list[Hit] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    guards: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)


async def explain(
    histories: AsyncIterable[RunHistory], messages: Iterable[MessageRecord], records: Iterable[TurnRecord]
) -> list[TurnAccount]:
    """The turns in order. `histories` come latest first, and are asked for as far back as the turns go."""
    turns: dict[int, TurnAccount] = {}
    for message in messages:
        _message(turns, message)
    for record in records:
        _record(turns, record)
    known = set(turns)
    if first := min(known - {0}, default=0):
        async for history in histories:
            if min(_history(turns, history), default=first + 1) <= first:
                break
    return [turns[number] for number in sorted(known)]


def masked(text: str) -> str:
    """Without what could be somebody's number."""
    return _NUMBER.sub("[number]", text)


def _of(turns: dict[int, TurnAccount], number: int) -> TurnAccount:
    return turns.setdefault(number, TurnAccount(number=number))


def _message(turns: dict[int, TurnAccount], message: MessageRecord) -> None:
    turn = _of(turns, message.turn)
    if message.direction is Direction.INBOUND:
        kinds = ", ".join(item.content_type for item in message.media)
        turn.came.append(masked(" ".join(part for part in (message.body, f"[{kinds}]" if kinds else "") if part)))
        turn.outcome, turn.reason = turn.outcome or message.status, turn.reason or message.reason
        return
    proof = f"proven: {message.proof}" if message.proof else "not proven"
    code = f", code {message.error_code}" if message.error_code else ""
    by = f", by {message.by}" if message.by else ""
    turn.sent.append(f"{masked(message.body)} ({message.kind or 'answer'}{by}, {message.status}{code}, {proof})")


def _record(turns: dict[int, TurnAccount], record: TurnRecord) -> None:
    turn = _of(turns, record.number)
    turn.outcome, turn.reason = record.outcome.value, record.reason
    turn.guards = [*record.guards, *(f"{f.check}: {f.action.lower()}, {f.reason}" for f in record.firings)]
    turn.sources = list(record.sources)
    turn.spent = [f"{count} {name.replace('_', ' ')}" for name, count in record.usage.items()]
    if record.cost is not None:
        turn.spent.append(f"{record.cost:.6f} US dollars")
    turn.steps = [
        f"{step.name} {step.status}{f' ({step.reason})' if step.reason else ''} {step.milliseconds} ms"
        for step in record.steps
    ]


def _history(turns: dict[int, TurnAccount], history: RunHistory) -> set[int]:
    """Add what a run did to its turns; which those are."""
    scheduled: dict[int, tuple[str, int]] = {}
    recalls: list[Mapping[str, Any]] = []
    for event in history.events:
        if begun := _begun(event):
            name, number = scheduled[event.event_id] = begun
            if name == "reply" and number:
                _of(turns, number).run = history.run_id
                _recalled(_of(turns, number), recalls)
                recalls = []
            continue
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                done = event.activity_task_completed_event_attributes
                name, number = scheduled.get(done.scheduled_event_id, ("", 0))
                payload = done.result.payloads[0].data if done.result.payloads else b""
                _ended(turns, name, number, _json(payload))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
                gone = event.activity_task_failed_event_attributes
                name, number = scheduled.get(gone.scheduled_event_id, ("", 0))
                kind = gone.failure.application_failure_info.type
                _broke(turns, name, number, f"{kind or 'failure'}: {gone.failure.message}")
            case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                late = event.activity_task_timed_out_event_attributes
                name, number = scheduled.get(late.scheduled_event_id, ("", 0))
                _broke(turns, name, number, "timed out")
            case EventType.EVENT_TYPE_MARKER_RECORDED:
                marker = event.marker_recorded_event_attributes
                data = marker.details.get("data")
                if (
                    marker.marker_name == _LOCAL
                    and data
                    and _json(data.payloads[0].data).get("activity_type") == "recall"
                ):
                    result = marker.details.get("result")
                    recalls.append(_json(result.payloads[0].data) if result else {"degraded": True})
    return {number for _, number in scheduled.values() if number}


def _begun(event: HistoryEvent) -> tuple[str, int] | None:
    """The activity that was scheduled and its turn, 0 for none. A reply may be a workflow of its own."""
    match event.event_type:
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            name = event.activity_task_scheduled_event_attributes.activity_type.name
        case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            name = "reply"
        case _:
            return None
    found = _TURN.search(_text(event.user_metadata.summary.data))
    return name, int(found[1]) if found else 0


def _recalled(turn: TurnAccount, recalls: list[Mapping[str, Any]]) -> None:
    for found in recalls:
        turn.recalled = len(found.get("items", ()))
        turn.memory_away = bool(found.get("degraded"))
        turn.hits = [_hit(item) for item in found.get("items", ())]


def _hit(item: Mapping[str, Any]) -> Hit:
    at = item.get("at")
    return Hit(
        text=masked(str(item.get("text", ""))),
        role=str(item.get("role", "")),
        kind=str(item.get("kind", "message")),
        channel=str(item.get("channel", "")),
        score=float(item.get("score", 0)),
        at=datetime.fromisoformat(at) if isinstance(at, str) else None,
    )


def _ended(turns: dict[int, TurnAccount], name: str, number: int, result: Mapping[str, Any]) -> None:
    if number and name == "reply":
        _of(turns, number).drafts.append(masked(str(result.get("text", ""))))
    elif number and name not in _OWN:
        _of(turns, number).tools.append(f"{name}: done")


def _broke(turns: dict[int, TurnAccount], name: str, number: int, why: str) -> None:
    if number and name == "reply":
        _of(turns, number).drafts.append(f"failed: {why}")
    elif number and name not in _OWN:
        _of(turns, number).tools.append(f"{name}: {why}")


def _json(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:  # encrypted, or of another converter
        return {}
    return found if isinstance(found, dict) else {}


def _text(data: bytes) -> str:
    try:
        return str(json.loads(data))
    except ValueError:
        return ""
