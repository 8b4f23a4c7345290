"""What became of inbound messages, asked of their conversations: open, closed or ended by force."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import QueryRejectCondition
from temporalio.service import RPCError, RPCStatusCode

from runtime.temporal import TemporalUnreachable
from workflows.conversation import ConversationWorkflow
from workflows.fate import IN_PROGRESS, WAITING, Asked, Fate, Fates
from workflows.state import ConversationState

# A conversation that a worker does not have in its cache is replayed first, which takes a second at most.
PATIENCE = timedelta(seconds=10)

# What a run that was ended by force had not done yet is done by nobody.
_UNDONE = frozenset({WAITING, IN_PROGRESS})
_BY_FORCE = "ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut', 'Canceled')"
_RUNS = 5  # of those, the latest


class ConversationSilent(Exception):
    """The conversation is there, and no worker answers for it in time."""


@dataclass(frozen=True, slots=True)
class FateBook:
    """Asks conversations; each costs one query, and a closed one none."""

    client: Client

    async def look(self, conversation_id: str, keys: Collection[str]) -> Mapping[str, Fate]:
        """By event key; those that the conversation knows nothing of are left out.

        Raises:
            ConversationSilent, TemporalUnreachable
        """
        try:
            found = await self._latest(conversation_id, keys)
            if found is None:
                return {}
            if missing := [key for key in keys if key not in found]:
                found = {**await self._ended_by_force(conversation_id, missing), **found}
        except RPCError as error:
            raise _translated(error) from error
        except (RuntimeError, OSError) as error:  # could not even connect
            raise TemporalUnreachable from error
        return found

    async def _latest(self, conversation_id: str, keys: Collection[str]) -> dict[str, Fate] | None:
        """Of the latest run, which knows what those before it did; None where there never was one."""
        handle = self.client.get_workflow_handle(conversation_id, result_type=ConversationState)
        try:
            return await self._asked(handle, keys, QueryRejectCondition.NOT_OPEN)
        except WorkflowQueryRejectedError as closed:
            if closed.status is not WorkflowExecutionStatus.COMPLETED:
                return {}
            try:
                state: ConversationState = await handle.result(rpc_timeout=PATIENCE)
            except WorkflowFailureError:
                return {}
            return {key: fate for key in keys if (fate := state.fate(key)) is not None}
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def _ended_by_force(self, conversation_id: str, keys: Collection[str]) -> dict[str, Fate]:
        """What runs did whose end nobody wrote down: their history still tells."""
        found: dict[str, Fate] = {}
        query = f"WorkflowId = '{conversation_id}' AND {_BY_FORCE}"
        async for run in self.client.list_workflows(query, limit=_RUNS):
            handle = self.client.get_workflow_handle(conversation_id, run_id=run.run_id)
            fates = await self._asked(handle, keys, QueryRejectCondition.NONE)
            found |= {key: fate for key, fate in fates.items() if fate.state not in _UNDONE and key not in found}
        return found

    @staticmethod
    async def _asked(
        handle: WorkflowHandle[Any, Any], keys: Collection[str], unless: QueryRejectCondition
    ) -> dict[str, Fate]:
        asked = Asked(keys=tuple(keys))
        try:
            told: Fates = await handle.query(
                ConversationWorkflow.fates, asked, reject_condition=unless, rpc_timeout=PATIENCE
            )
        except WorkflowQueryFailedError as error:
            raise ConversationSilent from error
        return dict(told.found)


def _translated(error: RPCError) -> Exception:
    silent = {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.CANCELLED}
    return ConversationSilent() if error.status in silent else TemporalUnreachable()
