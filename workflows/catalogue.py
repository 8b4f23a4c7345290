"""The flows that this process knows, by `name@version`, and which of them a turn runs.

A process says by `install` what it knows, before it starts a worker. What is kept is where a flow is, not the flow:
inside the workflow sandbox it is imported again, under the sandbox's rules.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from temporalio import workflow

from workflows import policy
from workflows.flow import Flow
from workflows.policy import FlowChange
from workflows.state import ConversationState

if TYPE_CHECKING:
    from workflows.steps import TurnContext


class UnknownFlow(Exception):
    """No worker that took this turn knew the flow. `ref` is its name and version."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"no flow {ref} is installed here; there are: {', '.join(sorted(_PLACES))}")
        self.ref = ref


_PLACES: dict[str, str] = {policy.DEFAULT_FLOW: "workflows.steps:DEFAULT"}


def flows_of(found: Any) -> tuple[Flow[Any], ...]:
    """One flow, or several of which the first is the one to use; empty if it is neither."""
    several = found if isinstance(found, (tuple, list)) else (found,)
    return tuple(several) if all(isinstance(flow, Flow) for flow in several) else ()


def install(flows: tuple[Flow[Any], ...], path: str) -> None:
    """Let conversations of this process run what is at the import path `module:name`."""
    _PLACES.update({flow.ref: path for flow in flows})


def load() -> None:
    """Import all that is installed, so that what the sandbox refuses stops a worker at its start."""
    for ref in _PLACES:
        if ref != policy.DEFAULT_FLOW:  # it imports the module that calls this
            find(ref)


def find(ref: str) -> Flow[TurnContext] | None:
    """The installed flow."""
    module, _, name = _PLACES.get(ref, "").partition(":")
    if not module:
        return None
    __import__(module)  # not importlib: only the statement's own function is the sandbox's
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part)
    return next((flow for flow in flows_of(found) if flow.ref == ref), None)


def choose(state: ConversationState) -> Flow[TurnContext]:
    """The flow of the turn that begins: the one that came with the latest text, or the conversation's own.

    A conversation changes its flow between two turns only, and only under `FlowChange.TURN`. It keeps its own where
    this worker does not know the new one yet.

    Raises:
        UnknownFlow: this worker knows neither; the turn is to be parked.
    """
    given = state.rules.flow
    wanted = state.flow if state.flow and state.rules.flow_change is FlowChange.CONVERSATION else given
    for ref in dict.fromkeys((wanted, state.flow)):
        if ref and (found := _recorded(ref, state.turn)):
            state.flow = ref
            return found
    raise UnknownFlow(wanted)


def _recorded(ref: str, turn: int) -> Flow[TurnContext] | None:
    """The flow, or None where the worker that first came here did not know it: its history says so for ever.

    Raises:
        RuntimeError: the history was made with a flow that this worker does not know. The task waits for one that does.
    """
    found = find(ref)
    if found is not None and not workflow.unsafe.is_replaying():
        return found
    if workflow.patched(f"unknown-flow-{ref}-turn-{turn}"):
        return None
    if found is None:
        raise RuntimeError(f"this conversation's history was made with {UnknownFlow(ref)}")
    return found
