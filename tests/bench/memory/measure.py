"""Asks every question of every system, and the agent with what the product would hand it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.engine import ReplyEngine
from agents.turn import Draft, Turn, Utterance
from tests.bench.memory.people import Person, Question
from tests.bench.memory.systems import Hit, Ours, window


class System(Protocol):
    """Something that remembers. It is looked at the first `top` of what it gives."""

    @property
    def name(self) -> str: ...

    top: int

    async def learn(self, person: Person) -> None: ...

    async def ask(self, person: Person, question: Question) -> list[Hit]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a system gave for one question with an answer. `stale_first`: what held before comes above what holds."""

    question: Question
    evidence: bool
    answer: bool
    stale_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the agent made of one question. `known`: the evidence was before it, in its window or recalled."""

    question: Question
    person: str
    draft: Draft
    right: bool
    known: bool
    recalled: tuple[str, ...]


async def recall(system: System, people: Sequence[Person]) -> list[Found]:
    """Every question that has an answer, asked of one system that has learnt everything."""
    found = []
    for person in people:
        for question in person.questions:
            if question.answer:
                hits = (await system.ask(person, question))[: system.top]
                found.append(_found(question, hits))
    return found


async def answers(ours: Ours, engine: ReplyEngine, people: Sequence[Person]) -> list[Answered]:
    """Every question, asked of the agent by a new text of the question's channel."""
    answered = []
    for person in people:
        for question in person.questions:
            shown = window(person, question)
            recalled = await ours.recalled(person, question, exclude=tuple(said.id for said in shown))
            history = tuple(
                Utterance(role=said.role, text=said.text, at=said.at, channel=said.channel) for said in shown
            )
            turn = Turn(text=question.text, history=history, recalled=recalled, channel=question.channel)
            draft = await engine.reply(turn)
            sources = {said.id for said in shown} | {item.source for item in recalled}
            answered.append(
                Answered(
                    question=question,
                    person=person.contact_id,
                    draft=draft,
                    right=_right(question, draft),
                    known=question.evidence in sources,
                    recalled=tuple(item.text for item in recalled),
                )
            )
    return answered


def _found(question: Question, hits: Sequence[Hit]) -> Found:
    texts = [hit.text.lower() for hit in hits]
    right = [place for place, text in enumerate(texts) if question.answer.lower() in text]
    stale = [place for place, text in enumerate(texts) if question.stale and question.stale.lower() in text]
    return Found(
        question=question,
        evidence=any(hit.source == question.evidence for hit in hits),
        answer=bool(right),
        stale_first=bool(stale) and (not right or stale[0] < right[0]),
    )


def _right(question: Question, draft: Draft) -> bool:
    """Holds the answer and not what held before; where nothing was told, says that it does not know."""
    if not question.answer:
        return draft.kind == "unknown"
    text = draft.text.lower()
    return question.answer.lower() in text and not (question.stale and question.stale.lower() in text)
