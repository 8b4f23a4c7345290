"""What a turn leaves behind: facts the person told, and what the window lets go of, in short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

from agents.turn import Draft, Learned, Utterance
from memory import window
from memory.item import AGENT, CONTACT, FACT, SUMMARY, MemoryItem, item_id
from workflows import policy
from workflows.contracts import LearningActivities, LearnRequest, Lesson, Told
from workflows.flow import act
from workflows.state import Direction, MessageRecord

if TYPE_CHECKING:
    from workflows.context import TurnContext


def teaches(_: TurnContext) -> bool:
    """Whether the turn is of a conversation that this code began, or has come past where older code was."""
    return workflow.patched("learn")


async def learn(turn: TurnContext) -> Lesson:
    """What the agent noted of the person, or else what the rules find; and the summary, where the window rolls over."""
    noted = _noted(turn)
    leaving = _leaving(turn)
    request = LearnRequest(
        heard=() if noted else _heard(turn),
        summary=turn.state.summary,
        leaving=tuple(
            Utterance(role=m.author, text=m.body, at=m.created_at, channel=turn.start.channel) for m in leaving
        ),
    )
    if not request.heard and not request.leaving:
        return Lesson(facts=noted)
    lesson: Lesson = await act(LearningActivities.learn, request)
    if leaving:
        turn.state.summary, turn.state.summarised = lesson.summary, leaving[-1].turn
    return Lesson(facts=noted or lesson.facts, summary=lesson.summary if leaving else "")


async def without_lesson(_: TurnContext, __: BaseException) -> Lesson:
    """The messages themselves are kept all the same; the next turn summarises what this one could not."""
    return Lesson()


def memories(turn: TurnContext, messages: tuple[MemoryItem, ...]) -> tuple[MemoryItem, ...]:
    """The facts and the summary of a turn, each with where it comes from, beside its `messages`."""
    lesson = turn.results.get("learn")
    if not isinstance(lesson, Lesson):
        return ()
    told = {item.source: item for item in messages}
    items = []
    for number, fact in enumerate(lesson.facts, start=1):
        if (message := told.get(fact.source)) is not None:
            items.append(
                MemoryItem(
                    id=item_id(message.source, number),
                    contact_id=message.contact_id,
                    conversation_id=message.conversation_id,
                    channel=message.channel,
                    turn=message.turn,
                    role=CONTACT,
                    text=fact.fact.text,
                    at=message.at,
                    source=message.source,
                    kind=FACT,
                    preceding=message.preceding,
                    key=fact.fact.key,
                )
            )
    if lesson.summary and messages:
        source = f"{turn.start.conversation_id}:summary"
        items.append(
            MemoryItem(
                id=item_id(source),
                contact_id=turn.contact_id,
                conversation_id=turn.start.conversation_id,
                channel=turn.start.channel,
                turn=turn.state.turn,
                role=AGENT,
                text=lesson.summary,
                at=messages[-1].at,
                source=source,
                kind=SUMMARY,
            )
        )
    return tuple(items)


def _noted(turn: TurnContext) -> tuple[Told, ...]:
    """What the agent itself wrote down, as told by the newest text."""
    draft = turn.results.get("reply")
    if not isinstance(draft, Draft) or not draft.facts or not turn.texts:
        return ()
    return tuple(Told(source=turn.texts[-1].key, fact=fact) for fact in draft.facts)


def _heard(turn: TurnContext) -> tuple[Told, ...]:
    """The person's texts of this turn, each with what came before it."""
    heard, before = [], ""
    for message in turn.state.messages:
        if message.turn == turn.state.turn and message.direction is Direction.INBOUND and message.body:
            heard.append(Told(source=message.id, fact=Learned(key="", text=message.body), preceding=before))
        before = message.body
    return tuple(heard)


def _leaving(turn: TurnContext) -> list[MessageRecord]:
    """What the next turn does not see word for word any more, and no summary holds yet."""
    said = [m for m in turn.state.messages if m.body]
    shown = window.fit(
        said,
        max_messages=policy.WINDOW_MESSAGES,
        max_chars=turn.state.rules.window,
        length=window.measure(turn.state.rules.window_unit, lambda m: m.body),
    )
    return [m for m in said[: len(said) - len(shown)] if m.turn > turn.state.summarised]
