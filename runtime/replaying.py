"""Runs a history against the code of today: does it replay, and if not, where does it break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from runtime.temporal import data_converter, workflow_runner
from workflows.conversation import ConversationWorkflow
from workflows.errands import AttendanceWorkflow, OpeningWorkflow

_STARTED = EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of it. A break lies among the events from `first` to `last`; `kinds` are those events' names."""

    events: int
    error: str = ""
    first: int = 0
    last: int = 0
    kinds: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether the code of today makes the same history."""
        return not self.error


async def replay(history: WorkflowHistory) -> Replayed:
    """Replay it; where it breaks is found by replaying ever shorter parts of it."""
    events = list(history.events)
    error = await _failure(history.workflow_id, events)
    if error is None:
        return Replayed(events=len(events))
    # A part may end where a workflow task begins. The first that breaks and the last that does not are neighbours.
    ends = [place for place, event in enumerate(events, start=1) if event.event_type == _STARTED]
    sound, broken = 0, len(ends) - 1
    while sound < broken:
        middle = (sound + broken) // 2
        if await _failure(history.workflow_id, events[: ends[middle]]) is None:
            sound = middle + 1
        else:
            broken = middle
    last = ends[broken] if ends else len(events)
    first = ends[broken - 1] + 1 if broken > 0 else 1
    if await _failure(history.workflow_id, events[:last]) is None:  # it breaks in what follows the last task
        first, last = last + 1, len(events)
    return Replayed(
        events=len(events),
        error=f"{type(error).__name__}: {error}",
        first=first,
        last=last,
        kinds=tuple(_kind(event) for event in events[first - 1 : last]),
    )


async def _failure(workflow_id: str, events: Sequence[HistoryEvent]) -> Exception | None:
    replayer = Replayer(
        workflows=[ConversationWorkflow, OpeningWorkflow, AttendanceWorkflow],
        workflow_runner=workflow_runner(),
        data_converter=data_converter(),
    )
    result = await replayer.replay_workflow(WorkflowHistory(workflow_id, events), raise_on_replay_failure=False)
    return result.replay_failure


def _kind(event: HistoryEvent) -> str:
    name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
    scheduled = event.activity_task_scheduled_event_attributes.activity_type.name
    signal = event.workflow_execution_signaled_event_attributes.signal_name
    marker = event.marker_recorded_event_attributes.marker_name
    return " ".join(part for part in (str(event.event_id), name.lower(), scheduled or signal or marker) if part)
