"""The runs of one conversation and their histories: what a turn did stands in the history of the run that it was in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from runtime import codec


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    """What one run did."""

    run_id: str
    events: Sequence[HistoryEvent]


async def of(client: Client, conversation_id: str, *, patience: timedelta) -> AsyncIterator[RunHistory]:
    """The latest first, readable where they are encrypted, and as far back as the server keeps them.

    Raises:
        RPCError: there is no such conversation, or Temporal is out of reach.
        codec.CannotDecrypt
    """
    handle = client.get_workflow_handle(conversation_id)
    run_id: str | None = (await handle.describe(rpc_timeout=patience)).run_id
    latest = run_id
    while run_id:
        handle = client.get_workflow_handle(conversation_id, run_id=run_id)
        try:
            events = (await handle.fetch_history(rpc_timeout=patience)).events
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and run_id != latest:
                return  # past its retention
            raise
        yield RunHistory(run_id=run_id, events=await codec.unseal(events, client.data_converter.payload_codec))
        continued = events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        run_id = continued or await _before(client, conversation_id, events[0])


async def _before(client: Client, conversation_id: str, started: HistoryEvent) -> str | None:
    """The closed run that a text opened again, where there is one."""
    name = conversation_id.replace("\\", "\\\\").replace("'", "\\'")
    at = started.event_time.ToJsonString()
    runs = [run async for run in client.list_workflows(f"WorkflowId = '{name}' AND CloseTime <= '{at}'", limit=1_000)]
    return max(runs, key=lambda run: run.start_time).run_id if runs else None
