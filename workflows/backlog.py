"""Writes what memory could not take, beside the turns and for as long as that needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows import policy
from workflows.contracts import MemoryActivities, RememberRequest
from workflows.flow import call
from workflows.length import TIMER, count
from workflows.state import ConversationState

_BATCH = 50

# Refused for good, say by a memory of another model: an operator has to act, and may take long.
_REFUSED = timedelta(minutes=10)


async def write(state: ConversationState, ended: Callable[[], bool]) -> None:
    """Until `ended` says so."""
    while True:
        await workflow.wait_condition(lambda: ended() or bool(state.backlog))
        if ended():
            return
        batch = tuple(state.backlog[:_BATCH])
        try:
            await call(policy.BACKLOG, MemoryActivities.remember, RememberRequest(items=batch), summary="backlog")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if ended():
                return
            count(TIMER)
            await workflow.sleep(_REFUSED, summary="memory backlog")
            continue
        written = {item.id for item in batch}
        state.backlog = [item for item in state.backlog if item.id not in written]
