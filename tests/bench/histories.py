"""What the measured texts cost in history: events, bytes and Temporal Actions, counted from what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

# https://docs.temporal.io/cloud/actions ; activities and local activities are counted below.
_ONE_EACH = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signals",
    EventType.EVENT_TYPE_TIMER_STARTED: "timers",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "continue-as-new",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "upserts",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "updates",
}
_ONCE_A_RUN = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_TIMER_CANCELED,
    EventType.EVENT_TYPE_TIMER_FIRED,
}
_TASK_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
_LOCAL_ACTIVITY = "core_local_activity"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of wall-clock time in which texts were measured; all of their events lie in it."""

    start: datetime
    end: datetime

    def holds(self, event: HistoryEvent) -> bool:
        """Whether the event was written in it."""
        return self.start <= event.event_time.ToDatetime(tzinfo=UTC) <= self.end


@dataclass(slots=True)
class Tally:
    """Sums. `actions` by kind; `failed` are local activities that did not give their result."""

    events: int = 0
    size: int = 0
    failed: int = 0
    actions: Counter[str] = field(default_factory=Counter)

    def add(self, event: HistoryEvent) -> None:
        """Count an event."""
        self.events += 1
        self.size += event.ByteSize()
        if kind := _ONE_EACH.get(event.event_type):
            self.actions[kind] += 1
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            # Written once, when the last attempt ends; it says how many there were, and each is an Action.
            self.actions["activities"] += event.activity_task_started_event_attributes.attempt
        elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            self.failed += event.marker_recorded_event_attributes.HasField("failure")


@dataclass(slots=True)
class Tallies:
    """The texts at the quiet pace, those at saturation, and what both have to share: changing from run to run."""

    quiet: Tally = field(default_factory=Tally)
    busy: Tally = field(default_factory=Tally)
    rollover: Tally = field(default_factory=Tally)


async def tally(client: Client, workflow: str, *, quiet: Sequence[Window], busy: Sequence[Window]) -> Tallies:
    """Count over all runs of all workflows of a type."""
    total = Tallies()
    async for execution in client.list_workflows(f'WorkflowType="{workflow}"'):
        run = await client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
        for windows, tally_of_window in ((quiet, total.quiet), (busy, total.busy)):
            events = [event for event in run.events if any(window.holds(event) for window in windows)]
            opening = _opening(run.events)
            for event in events:
                (total.rollover if event.event_id in opening else tally_of_window).add(event)
            tally_of_window.actions["local-activity batches"] += _batches(events)
    return total


def _opening(events: Sequence[HistoryEvent]) -> set[int]:
    """The ids of what a run has once, however many texts it takes: its first workflow task, its timers, its end."""
    first_task = next((e.event_id for e in events if e.event_type == _TASK_COMPLETED), 0)
    return {
        event.event_id
        for event in events
        if event.event_type in _ONCE_A_RUN
        or (event.event_id <= first_task and event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    }


def _batches(events: Sequence[HistoryEvent]) -> int:
    """All local activities that one workflow task reports are one Action."""
    markers = [event.marker_recorded_event_attributes for event in events]
    return len({m.workflow_task_completed_event_id for m in markers if m.marker_name == _LOCAL_ACTIVITY})
