"""Has the agent answer."""

from __future__ import annotations

from temporalio import activity

from activities import failures
from activities.heartbeat import beating
from agents.engine import ReplyEngine
from agents.turn import Draft, Turn
from workflows.contracts import ReplyActivities


class Replies(ReplyActivities):
    """Runs the one engine of this worker. A newer text or a takeover cancels it at its next heartbeat."""

    def __init__(self, engine: ReplyEngine) -> None:
        self._engine = engine

    @activity.defn(name="reply")
    async def reply(self, turn: Turn) -> Draft:
        """A draft. Raises ApplicationError."""
        async with beating():
            try:
                return await self._engine.reply(turn)
            except Exception as error:
                raise failures.of_agent(error, attempt=activity.info().attempt) from error
