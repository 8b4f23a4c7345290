"""Whether something has happened in a conversation: asked of the server alone, so it costs no worker and no Action."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from runtime.directory import PATIENCE, UnknownConversation, connected
from runtime.temporal import TemporalUnreachable
from workflows.contracts import AGENT_REPLY, WORKFLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Two that are equal mean that nothing has happened between them.

    `writing_since` is when the agent began what it is writing now, `attempts` how often it has begun, and `doing` what
    else runs: names of activities.
    """

    run_id: str
    events: int
    is_open: bool
    writing_since: datetime | None = None
    attempts: int = 0
    doing: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The same for equal ones."""
        return hashlib.blake2b(repr(self).encode(), digest_size=8).hexdigest()


async def feel(client: Client, conversation_id: str) -> Pulse:
    """One look.

    Raises:
        UnknownConversation, TemporalUnreachable
    """
    try:
        with connected():
            found = await client.get_workflow_handle(conversation_id).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise UnknownConversation(conversation_id) from error
        raise TemporalUnreachable from error
    if found.workflow_type != WORKFLOW:
        raise UnknownConversation(conversation_id)
    return pulse(found)


def pulse(found: WorkflowExecutionDescription) -> Pulse:
    """What a description says."""
    activities = found.raw_description.pending_activities
    writing = next((activity for activity in activities if activity.activity_type.name == "reply"), None)
    children = found.raw_description.pending_children
    since = found.start_time if any(child.workflow_type_name == AGENT_REPLY for child in children) else None
    if writing is not None:
        started = writing.last_started_time if writing.HasField("last_started_time") else writing.scheduled_time
        since = started.ToDatetime(found.start_time.tzinfo)
    return Pulse(
        run_id=found.run_id,
        events=found.history_length,
        is_open=found.status is WorkflowExecutionStatus.RUNNING,
        writing_since=since,
        attempts=writing.attempt if writing is not None else 0,
        doing=tuple(sorted(activity.activity_type.name for activity in activities)),
    )
