"""What is compared: our memory, BM25 alone, and the last messages."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import qdrant_edge

from activities.memory import Memories
from agents.learning import FactExtractor, Heard, RuleExtractor
from agents.turn import Learned
from memory.contacts import InMemoryContacts
from memory.item import CONTACT, FACT, MemoryItem, Recalled, item_id
from memory.store import MemoryStore
from memory.window import fit
from tests.bench.memory.people import Person, Question, Said
from workflows import policy
from workflows.contracts import RecallRequest

# How far down a list it is looked.
TOP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing found, best first: the message that it comes from, and its words."""

    source: str
    text: str


@dataclass(slots=True)
class Ours:
    """The product's own activity over a real store."""

    store: MemoryStore
    extractor: FactExtractor = field(default_factory=RuleExtractor)
    name: str = "ours"
    top: int = TOP

    async def learn(self, person: Person) -> None:
        items = [_item(person, said) for said in person.said]
        for said in person.said:
            if said.role == CONTACT:
                claims = await self.extractor.extract(Heard(text=said.text, preceding=said.preceding))
                items += [_fact(person, said, part, claim) for part, claim in enumerate(claims, start=1)]
        await self.store.remember(items)

    async def ask(self, person: Person, question: Question) -> list[Hit]:
        return [Hit(source=item.source, text=item.text) for item in await self.recalled(person, question)]

    async def recalled(self, person: Person, question: Question, exclude: tuple[str, ...] = ()) -> tuple[Recalled, ...]:
        """As the flow's step would get it."""
        request = RecallRequest(
            query=question.text, contact_id=person.contact_id, exclude=exclude, limit=policy.RECALLED
        )
        return (await Memories(self.store, InMemoryContacts()).recall(request)).items


@dataclass(slots=True)
class Bm25:
    """Stemmed BM25 over one person's messages, as they are."""

    name: str = "BM25 alone"
    top: int = TOP
    _bm25: qdrant_edge.Bm25 = field(default_factory=qdrant_edge.Bm25)
    _messages: dict[str, list[tuple[Said, dict[int, float]]]] = field(default_factory=dict)
    _holding: Counter[int] = field(default_factory=Counter)
    _count: int = 0

    async def learn(self, person: Person) -> None:
        rows = []
        for said in person.said:
            vector = self._bm25.embed_document(said.text)
            rows.append((said, dict(zip(vector.indices, vector.values, strict=True))))
            self._holding.update(vector.indices)
            self._count += 1
        self._messages[person.contact_id] = rows

    async def ask(self, person: Person, question: Question) -> list[Hit]:
        wanted = self._bm25.embed_query(question.text).indices
        scored = []
        for said, weights in self._messages[person.contact_id]:
            score = sum(weights[index] * self._rarity(index) for index in wanted if index in weights)
            if score > 0:
                scored.append((score, said))
        return [Hit(source=said.id, text=said.text) for _, said in sorted(scored, key=lambda row: -row[0])]

    def _rarity(self, index: int) -> float:
        holding = self._holding[index]
        return math.log(1 + (self._count - holding + 0.5) / (holding + 0.5))


@dataclass(slots=True)
class Latest:
    """The last messages, whatever is asked."""

    top: int = TOP

    @property
    def name(self) -> str:
        return f"last {self.top} messages"

    async def learn(self, person: Person) -> None:
        """Nothing to learn."""

    async def ask(self, person: Person, question: Question) -> list[Hit]:
        return [Hit(source=said.id, text=said.text) for said in reversed(person.said)]


def _item(person: Person, said: Said) -> MemoryItem:
    return MemoryItem(
        id=item_id(said.id),
        contact_id=person.contact_id,
        conversation_id=f"{person.contact_id}-{said.channel}",
        channel=said.channel,
        turn=said.turn,
        role=said.role,
        text=said.text,
        at=said.at,
        source=said.id,
        preceding=said.preceding,
    )


def _fact(person: Person, said: Said, part: int, claim: Learned) -> MemoryItem:
    return replace(_item(person, said), id=item_id(said.id, part), text=claim.text, key=claim.key, kind=FACT)


def window(person: Person, question: Question) -> Sequence[Said]:
    """What the conversation on the question's channel still shows word for word."""
    return fit(
        [said for said in person.said if said.channel == question.channel],
        max_messages=policy.WINDOW_MESSAGES,
        max_chars=policy.Rules().window,
        length=lambda said: len(said.text),
    )
