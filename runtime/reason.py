"""Why a turn ended as it did: its record, and what only the history of its run tells."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runtime.account import TurnAccount, explain
from runtime.directory import Directory
from runtime.dossier import Dossier
from runtime.histories import RunHistory
from workflows import catalogue
from workflows.flow import Flow
from workflows.state import MessageRecord, TurnRecord


class UnknownTurn(LookupError):
    """The conversation has no record of this turn: it has not ended, or it is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One turn, explained. `run_id` is the run it was in; `flow` is None where this process does not know it."""

    record: TurnRecord
    account: TurnAccount
    messages: tuple[MessageRecord, ...]
    run_id: str
    flow: Flow[Any] | None


async def read(directory: Directory, file: Dossier, number: int) -> Reason:
    """Why turn `number` of this conversation ended as it did.

    Raises:
        UnknownTurn, UnknownConversation, TemporalUnreachable
    """
    record = file.turn(number)
    if record is None:
        raise UnknownTurn(number)
    messages = tuple(message for message in file.messages if message.turn == number)
    histories = _back_to(record.started_at, directory.histories(file.summary.id))
    account = next(one for one in await explain(histories, messages, [record]) if one.number == number)
    return Reason(
        record=record,
        account=account,
        messages=messages,
        run_id=account.run or file.pulse.run_id,
        flow=_flow(file, record),
    )


async def _back_to(time: datetime, histories: AsyncIterable[RunHistory]) -> AsyncIterator[RunHistory]:
    """No older run than the one that was open at a time."""
    async for history in histories:
        yield history
        if history.events[0].event_time.ToDatetime(UTC) <= time:
            return


def _flow(file: Dossier, record: TurnRecord) -> Flow[Any] | None:
    """The conversation's flow, if the turn ran it: another may have come since."""
    flow = catalogue.find(file.view.flow) if file.view and file.view.flow else None
    names = {step.name for step in flow.tree()} if flow else set()
    return flow if {step.name for step in record.steps} <= names else None
