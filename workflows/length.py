"""How long a run's history has become, as the run itself counts.

Not as the server says: while a history is replayed, two workflow tasks with nothing between them are taken as one, and
the length told in the first is then that of the second. A run that went by it would go another way in a replay.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow

# A workflow task is scheduled, started and completed.
_TASK = 3
STARTED = 1 + _TASK
SIGNAL = 1 + _TASK
UPDATE = 2 + _TASK  # accepted and completed
ACTIVITY = 3 + _TASK  # scheduled, started, completed
LOCAL_ACTIVITY = 1  # a marker
CHILD = 3 + 2 * _TASK  # initiated, started, completed
TIMER = 2 + _TASK  # started, fired or cancelled
PATCH = 2  # a marker and a search attribute


@dataclass(slots=True)
class Length:
    """Of one run, in events. Rather too many than too few: what shares a workflow task is counted with one each.

    `heard` counts what came in: signals, updates, ends of activities. The end of a local activity is not among it: a
    replay may take that for a part of the workflow task that began it.
    """

    events: int = STARTED
    heard: int = 0

    def add(self, events: int) -> None:
        """Something is about to be written down."""
        self.events += events

    def hear(self, events: int) -> None:
        """Something has come in."""
        self.events += events
        self.heard += 1


def heard() -> None:
    """Something that was waited for has come in, for the run whose code this is called from."""
    length = getattr(workflow.instance(), "length", None)
    if isinstance(length, Length):
        length.hear(0)


def count(events: int) -> None:
    """Add to the length of the run whose code this is called from; a workflow that keeps none has none."""
    length = getattr(workflow.instance(), "length", None)
    if isinstance(length, Length):
        length.add(events)
