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
            except Exception as error:  # noqa: BLE001 - a user's agent raises anything
                # Here, since the log shows where it happened; Temporal would record the words, and these may be the
                # person's.
                activity.logger.warning("the agent failed", exc_info=error)
                raise failures.of_agent(error, attempt=activity.info().attempt) from None
