"""Removes what conversations hold: open ones let go of it and begin a new history, closed histories are deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
)
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from runtime.gateway import Gateway
from runtime.temporal import TemporalRuns
from workflows import contracts, index
from workflows.contracts import ConversationStart, PreviousRun, Route
from workflows.conversation import ConversationWorkflow
from workflows.forgetting import ErasedConversation
from workflows.policy import Rules

# Seconds between two looks at whether a new run has begun.
_PAUSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalConversations:
    """Conversations as Temporal has them."""

    client: Client
    task_queue: str

    async def holding(self, contact_ids: Collection[str]) -> tuple[str, ...]:
        """Those that hold something: any with a closed run, and open ones whose state does."""
        found: dict[str, bool] = {}
        async for run in self._runs_of(contact_ids):
            holds = run.status is not WorkflowExecutionStatus.RUNNING or await self._holds(run.id)
            found[run.id] = found.get(run.id, False) or holds
        return tuple(sorted(conversation for conversation, holds in found.items() if holds))

    async def route(self, conversation_id: str) -> Route | None:
        start = await self._start_of(conversation_id)
        return start.route if start else None

    async def erase(self, conversation_id: str) -> ErasedConversation:
        handle = self.client.get_workflow_handle(conversation_id)
        messages, open_run = 0, ""
        try:
            before = await handle.describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        else:
            if before.status is not WorkflowExecutionStatus.RUNNING:
                messages, open_run = await self._close_behind(conversation_id, before.run_id)
            elif await self._holds(conversation_id):
                messages = await handle.execute_update(ConversationWorkflow.forget, id=f"forget-{before.run_id}")
                open_run = await self._following(conversation_id, before.run_id)
            else:
                open_run = before.run_id
        return ErasedConversation(messages=messages, runs=await self._delete_runs(conversation_id, but=open_run))

    async def _following(self, conversation_id: str, run_id: str) -> str:
        """The open run that came after this one; "" where the conversation has ended with it."""
        while True:
            now = await self.client.get_workflow_handle(conversation_id).describe()
            if now.status is not WorkflowExecutionStatus.RUNNING:
                return ""
            if now.run_id != run_id:
                return now.run_id
            await asyncio.sleep(_PAUSE)

    async def _close_behind(self, conversation_id: str, run_id: str) -> tuple[int, str]:
        """What a closed conversation held. Who had opted out there gets an empty open one that remembers that."""
        state = await TemporalRuns(self.client).result(PreviousRun(conversation_id=conversation_id, run_id=run_id))
        if state is None:
            return 0, ""
        messages = state.forget()
        start = await self._start_of(conversation_id) if state.opted_out else None
        if start is None:
            return messages, ""
        state.open, state.closing = True, False
        gateway = Gateway(client=self.client, task_queue=self.task_queue, id_key=b"", rules=Rules())
        await gateway.start(replace(start, previous_run_id=None, carried=state, created_at=datetime.now(UTC)))
        return messages, (await self.client.get_workflow_handle(conversation_id).describe()).run_id

    async def _delete_runs(self, conversation_id: str, *, but: str) -> tuple[str, ...]:
        """Every run but the open one; which. The server deletes them in its own time, within a minute or so."""
        query = f"WorkflowId = '{conversation_id}'"
        runs = [run.run_id async for run in self.client.list_workflows(query) if run.run_id != but]
        for run_id in runs:
            await self._delete(conversation_id, run_id)
        return tuple(runs)

    async def _delete(self, conversation_id: str, run_id: str) -> None:
        request = DeleteWorkflowExecutionRequest(
            namespace=self.client.namespace,
            workflow_execution=Execution(workflow_id=conversation_id, run_id=run_id),
        )
        try:
            await self.client.workflow_service.delete_workflow_execution(request)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _holds(self, conversation_id: str) -> bool:
        """Whether an open conversation holds something, or a text that no turn has taken yet."""
        handle = self.client.get_workflow_handle(conversation_id)
        try:
            return not await handle.query(ConversationWorkflow.is_blank)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise

    async def _runs_of(self, contact_ids: Collection[str]) -> AsyncIterator[WorkflowExecution]:
        """By the search attribute; what was started without one by its memo."""
        kind = f"WorkflowType = '{contracts.WORKFLOW}'"
        queries = [f"{kind} AND {index.CONTACT.name} = '{one}'" for one in contact_ids]
        queries.append(f"{kind} AND {index.CONTACT.name} IS NULL")
        try:
            for query in queries:
                async for run in self._theirs(query, contact_ids):
                    yield run
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            async for run in self._theirs(kind, contact_ids):  # a namespace without our attributes: look at all
                yield run

    async def _theirs(self, query: str, contact_ids: Collection[str]) -> AsyncIterator[WorkflowExecution]:
        async for run in self.client.list_workflows(query, page_size=1000):
            if (await run.memo()).get("contact_id") in contact_ids:
                yield run

    async def _start_of(self, conversation_id: str) -> ConversationStart | None:
        """What its latest run began with."""
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self.client.namespace,
            execution=Execution(workflow_id=conversation_id),
            maximum_page_size=1,
        )
        try:
            history = (await self.client.workflow_service.get_workflow_execution_history(request)).history
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        given: Any = history.events[0].workflow_execution_started_event_attributes.input.payloads
        [start] = await self.client.data_converter.decode(given, [ConversationStart])
        found: ConversationStart = start
        return found
