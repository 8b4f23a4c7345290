"""Both sides of a turn, for memory and for the agent's next drafts."""

from __future__ import annotations

from agents.turn import Utterance
from memory import window
from memory.item import OPERATOR, MemoryItem, item_id
from workflows import lesson, policy
from workflows.context import TurnContext
from workflows.contracts import MemoryActivities, RememberRequest
from workflows.flow import act
from workflows.state import MessageRecord


async def remember(turn: TurnContext) -> None:
    """Keep both sides, under ids that make a repeat overwrite itself."""
    same = dict.fromkeys((text.author, other) for text in turn.texts if text.author for other in text.also)
    await act(MemoryActivities.remember, RememberRequest(items=_all_memories(turn), same=tuple(same)))


async def remember_later(turn: TurnContext, _: BaseException) -> None:
    """Memory is away: the conversation's backlog writes it when it is back."""
    keep(turn)


def keep(turn: TurnContext) -> None:
    """Leave both sides to the conversation's backlog."""
    kept = window.fit(
        [*turn.state.backlog, *_all_memories(turn)],
        max_messages=policy.BACKLOG_ITEMS,
        max_chars=policy.BACKLOG_CHARS,
        length=lambda item: len(item.text) + len(item.preceding),
    )
    turn.state.backlog = list(kept)


def history(turn: TurnContext) -> tuple[Utterance, ...]:
    """The window, with what colleagues wrote to each other meanwhile."""
    window_ = recent(turn)
    said_ = [Utterance(role=m.author, text=m.body, at=m.created_at, channel=turn.start.channel) for m in window_]
    noted = [Utterance(role=OPERATOR, text=f"[note] {note.text}", at=note.at) for note in turn.state.notes]
    return tuple(sorted([*said_, *noted], key=lambda u: u.at or turn.state.created_at)) if noted else tuple(said_)


def recent(turn: TurnContext) -> tuple[MessageRecord, ...]:
    """The recent messages before this turn that the agent sees word for word."""
    return window.fit(
        [m for m in turn.state.messages if m.turn < turn.state.turn and m.body],
        max_messages=policy.WINDOW_MESSAGES,
        max_chars=turn.state.rules.window,
        length=window.measure(turn.state.rules.window_unit, lambda m: m.body),
    )


def _all_memories(turn: TurnContext) -> tuple[MemoryItem, ...]:
    messages = _memories(turn)
    return (*messages, *lesson.memories(turn, messages))


def _memories(turn: TurnContext) -> tuple[MemoryItem, ...]:
    items: list[MemoryItem] = []
    earlier = [m for m in turn.state.messages if m.turn < turn.state.turn]
    preceding = earlier[-1].body if earlier else ""
    for message in turn.state.messages:
        if message.turn != turn.state.turn or not message.body:
            continue
        items.append(
            MemoryItem(
                id=item_id(message.id),
                contact_id=message.contact or turn.contact_id,
                conversation_id=turn.start.conversation_id,
                channel=turn.start.channel,
                turn=message.turn,
                role=message.author,
                text=message.body,
                at=message.created_at,
                source=message.id,
                preceding=preceding,
            )
        )
        preceding = message.body
    return tuple(items)
