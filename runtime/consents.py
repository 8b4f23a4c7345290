"""Who has opted out on every channel, as open workflows: there is no store besides Temporal's to lose it from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from workflows.optout import ContactOptOutWorkflow, record_id

PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class TemporalConsents:
    """`activities.consents.Consents`. Describing a run is consistent with its start, and costs no Action."""

    client: Client
    task_queue: str

    async def has_opted_out(self, contact_id: str) -> bool:
        """Whether the record is open."""
        try:
            found = await self.client.get_workflow_handle(record_id(contact_id)).describe(rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return found.status is WorkflowExecutionStatus.RUNNING

    async def opt_out(self, contact_id: str) -> None:
        """Open the record, if it is not."""
        await self.client.start_workflow(
            ContactOptOutWorkflow.run,
            contact_id,
            id=record_id(contact_id),
            task_queue=self.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="opted out on every channel",
            rpc_timeout=PATIENCE,
        )

    async def opt_in(self, contact_id: str) -> None:
        """Close the record, and wait until it is closed: the next text must be answered."""
        handle = self.client.get_workflow_handle_for(ContactOptOutWorkflow.run, record_id(contact_id))
        try:
            await handle.signal(ContactOptOutWorkflow.opt_in, rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return
            raise
        await handle.result(rpc_timeout=PATIENCE)
