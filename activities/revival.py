"""Reads what a closed run of a conversation ended with."""

from __future__ import annotations

from typing import Protocol

from temporalio import activity

from workflows.contracts import PreviousRun, PreviousState, RevivalActivities
from workflows.state import ConversationState


class Runs(Protocol):
    """The closed runs of conversations."""

    async def result(self, run: PreviousRun) -> ConversationState | None:
        """What it returned; None where it returned nothing or is past retention."""


class Revival(RevivalActivities):
    """Lets a conversation go on where it ended."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    @activity.defn(name="revive")
    async def revive(self, previous: PreviousRun) -> PreviousState:
        """The state to go on from."""
        return PreviousState(state=await self._runs.result(previous))
