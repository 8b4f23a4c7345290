"""What a step of a flow may say besides its answer: something on the way, and something later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from workflows import guard, ids, outbox, parts, policy
from workflows.flow import running_step
from workflows.outgoing import Outgoing, Scheduled

if TYPE_CHECKING:
    from workflows.state import ConversationState
    from workflows.steps import TurnContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """What a step runs that sends a message of its own, say before a human is asked. The step is `guarded`.

    It is sent once a turn, however often the turn is drafted.
    """

    words: Callable[[TurnContext], str]

    async def __call__(self, turn: TurnContext) -> None:
        """Raises Halt, ActivityError."""
        event = f"{turn.texts[0].key}:{running_step().name}"
        for number, text in enumerate(parts.by_channel(self.words(turn), turn.start.channel, turn.state.rules)):
            key = ids.send_key(turn.start.conversation_id, event, number)
            if turn.state.find(key) is not None:
                continue  # an earlier draft of this turn said it, or tried to
            await outbox.send(
                turn.start,
                turn.state,
                Outgoing(key=key, text=text),
                forbidden=turn.forbidden,
                stale_at=guard.stale_at(turn.state, max(inbound.at for inbound in turn.texts) + turn.waited),
                summary=f"turn {turn.state.turn}, {running_step().name}",
            )


def later(turn: TurnContext, message: Scheduled) -> None:
    """Have this sent at its time, once the turn has ended; the same `id` again takes its place.

    Raises:
        ValueError: it has no offset, or is too long for one message.
    """
    if message.at.tzinfo is None:
        raise ValueError("at: must have an offset")
    if not message.text.strip() or len(parts.split(message.text)) > 1:
        raise ValueError(f"text: 1 to {parts.LIMIT} characters")
    turn.later = [*(known for known in turn.later if known.id != message.id), message]


def take_up(state: ConversationState, planned: list[Scheduled], now: datetime) -> None:
    """What the turn that has ended planned. What should have been sent by now is let go."""
    if planned:
        names = {message.id for message in planned}
        kept = [known for known in state.scheduled if known.id not in names]
        state.scheduled = [*kept, *(message for message in planned if message.at > now)][-policy.SCHEDULED :]
