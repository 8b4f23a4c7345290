"""Goes on from where a closed run of the conversation ended."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import handoff, policy
from workflows.contracts import PreviousRun, PreviousState, RevivalActivities
from workflows.flow import call
from workflows.state import ConversationState


async def revived(fresh: ConversationState, previous: PreviousRun) -> ConversationState:
    """The state of then, with what came to this run; the fresh one where that cannot be read."""
    try:
        found: PreviousState = await call(policy.REVIVE, RevivalActivities.revive, previous)
    except ActivityError:
        workflow.logger.warning("the run before this one could not be read; its memory is still there")
        return fresh
    state = found.state
    if state is None:
        return fresh
    state.open, state.closing, state.inactive = True, False, False
    handoff.release(state)
    state.pending, state.early, state.shown = fresh.pending, fresh.early, fresh.shown
    state.waiting_since, state.last_waiting = fresh.waiting_since, fresh.last_waiting
    state.updated_at = workflow.now()
    return state
