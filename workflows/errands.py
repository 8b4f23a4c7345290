"""What is asked of a provider outside of any turn, durably: to open a conversation, to let people in and out.

Each is a workflow of one activity under an id made of the caller's idempotency key, so that the same request again is
answered by the first one's result.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from workflows.flow import call
from workflows.policy import Call

OPENING = "OpeningWorkflow"
ATTENDANCE = "AttendanceWorkflow"

# Somebody waits for the answer, and may ask again.
_ERRAND = Call(
    timeout=timedelta(seconds=40),
    total=timedelta(minutes=2),
    retry=RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A conversation to be opened at a provider: with whom, by which address of ours, under which unique name."""

    provider: str
    to: str
    sender: str
    unique_name: str
    friendly_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The provider's id of it, and what was asked, to recognise another request under the same key."""

    conversation_sid: str
    asked: Opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """Somebody to let in (by `identity`, or by `address` through `proxy_address`), or out (by `leaves`, a sid).

    With none of them, it asks who is there.
    """

    provider: str
    conversation_sid: str
    identity: str = ""
    address: str = ""
    proxy_address: str = ""
    leaves: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """Somebody in a conversation."""

    sid: str
    identity: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """Who came or left, or everybody who is there."""

    asked: Attendance
    people: tuple[Attendee, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Somebody who wants no more messages."""

    provider: str
    conversation_sid: str
    participant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Whether `others` are still there. If not, nobody was taken out."""

    others: bool


class ErrandActivities:
    """What the provider does."""

    @activity.defn(name="open")
    async def open(self, order: Opening) -> Opened:
        """Open it, or find the one of this unique name."""
        raise NotImplementedError

    @activity.defn(name="attend")
    async def attend(self, order: Attendance) -> Attended:
        """Let in, or out, or tell who is there; what is so already stays so."""
        raise NotImplementedError

    @activity.defn(name="leave")
    async def leave(self, order: Leave) -> Left:
        """Take them out, if that leaves others behind."""
        raise NotImplementedError


@workflow.defn(name=OPENING)
class OpeningWorkflow:
    """Opens one conversation."""

    @workflow.run
    async def run(self, order: Opening) -> Opened:
        """Raises ActivityError."""
        opened: Opened = await call(_ERRAND, ErrandActivities.open, order)
        return opened


@workflow.defn(name=ATTENDANCE)
class AttendanceWorkflow:
    """Lets one participant in or out."""

    @workflow.run
    async def run(self, order: Attendance) -> Attended:
        """Raises ActivityError."""
        attended: Attended = await call(_ERRAND, ErrandActivities.attend, order)
        return attended
