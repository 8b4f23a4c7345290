"""The sentences of the knowledge base that answer a question, as they stand there."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents import phrasing, words
from memory.embedder import Embedder
from memory.knowledge import Knowledge
from memory.markdown import Passage

# Sentences this much weaker than the best one still belong to the answer: the same question's other half.
_NEIGHBOUR = 0.17

# What a shared word adds to a sentence's cosine, as much as parts neighbours; a shared weekday counts twice.
_SHARED = 0.12

# What it adds to a passage that it holds the verb of the question, when that verb is rare.
_VERB = 0.5

# Passages looked at sentence by sentence: by meaning, and by rare words.
_NEAREST, _BY_WORDS = 4, 2

# Passages by meaning among which rare words are looked for.
_DEEP = 64

# Between the threshold and this, nearness alone is not trusted: question and sentence must also share a word that
# carries meaning. "Do you sell pizza?" is near to "We sell city bikes" without being answered by it.
SURE = 0.45

# What is this near needs not even name the thing that is asked for.
_CERTAIN = 0.75

_DAYS = frozenset(words.topics("monday tuesday wednesday thursday friday saturday sunday weekend holiday"))

# "Does the library have parking?" shares one word of two with many a library's passage, but not the one that counts.
_FAIR_PART = 0.3

# Times and prices occur everywhere; an address or a phone number answers by being one.
_TELLING = 0.15

# A question put in the usual words is the better measure.
_REPHRASED = 0.2

# Words that nearly every business uses about everything.
_GENERIC = frozenset(
    words.topics(
        "sell offer open help work make take time thing good best find shop store business order bring buy cost "
        "price pay new service "
        "use look come serve provide accept include available"
    )
)

_END = re.compile(r"(?<=[.!?])[\"')]*\s+(?=[A-Z0-9\"'(+])|\n+")
_BULLET = re.compile(r"^(?:[-*+•]|\d{1,2}[.)])\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """`text` are whole sentences of one passage; `score` is the cosine of the best of them.

    `rank` also counts the passage and shared words, and compares extracts of one question.
    """

    text: str
    source: str
    score: float
    rank: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sentence:
    text: str
    cosine: float
    rank: float
    expected: bool  # it looks like what is asked for: an address, a phone number


class Extractor:
    """Finds answers; keeps the vectors of sentences, because the same passages are asked for again and again."""

    def __init__(self, knowledge: Knowledge, embedder: Embedder, *, threshold: float) -> None:
        self._knowledge = knowledge
        self._embedder = embedder
        self._threshold = threshold
        self._vectors: dict[str, list[float]] = {}
        self._known: tuple[Passage, ...] = ()
        self._topics: dict[Passage, set[str]] = {}
        self._holding: Counter[str] = Counter()

    def _read(self) -> None:
        """What the passages are about; again, when they have changed."""
        if (passages := self._knowledge.passages) is not self._known:
            self._known = passages
            self._topics = {row: words.topics(f"{_last(row.heading)} {row.text}") for row in passages}
            self._holding = Counter(topic for topics in self._topics.values() for topic in topics)
            self._vectors.clear()

    async def answer(self, question: str, *, context: str = "", budget: int) -> Extract | None:
        """At most `budget` characters, or None if the knowledge base has no answer.

        `context` is what a follow-up goes on from: it helps to find the passage, not to choose its sentences.
        """
        best = await self._answer(f"{context} {question}".strip(), question, budget)
        for query in phrasing.rephrased(question, unsure=best is None or best.score < SURE):
            found = await self._answer(query, query, budget)
            if found and (best is None or found.rank + _REPHRASED > best.rank):
                best = found
        return best

    async def _answer(self, query: str, question: str, budget: int) -> Extract | None:
        passages = await self._candidates(query, words.topics(question))
        if (
            not passages or max(passage.score for passage in passages) < self._threshold / 2
        ):  # not worth looking at sentences
            return None
        [wanted] = await self._embedder.embed([query])
        verb = phrasing.verb(question)
        ranked = []
        for passage in passages:
            scored = await self._sentences(passage, wanted, question)
            present = words.topics(f"{_last(passage.heading)} {passage.text}")
            rank = (
                max(row.rank for row in scored)
                + 0.5 * passage.score
                + (_VERB * self._rarity(verb) if verb in present else 0.0)
            )
            ranked.append((rank, passage, scored))
        rank, passage, scored = max(ranked, key=lambda row: row[0])
        nearest = max(passage.score, *(row.cosine for row in scored))
        best = max(scored, key=lambda row: row.rank)
        if nearest < self._threshold:
            return None
        if nearest < SURE and not best.expected and not self._shares(words.topics(query), passage):
            return None
        if nearest < _CERTAIN and (thing := phrasing.thing(question)) and not self.mentions(thing):
            return None
        if (measure := phrasing.measured(question)) and not measure.search(best.text):
            return None
        text = _join(scored, budget)
        return Extract(text=text, source=f"{passage.source}: {passage.heading}", score=nearest, rank=rank)

    async def _sentences(self, passage: Passage, wanted: Sequence[float], question: str) -> list[_Sentence]:
        """Each sentence, embedded under its heading: "From 39 dollars." alone says little."""
        rows = sentences(passage.text)
        heading = _last(passage.heading)
        keys = [f"{heading}: {row}" for row in rows]
        missing = [key for key in keys if key not in self._vectors]
        for key, vector in zip(missing, await self._embedder.embed(missing), strict=True):
            self._vectors[key] = vector
        found, asked, expected = [], words.topics(question), phrasing.expected(question)
        for key, row in zip(keys, rows, strict=True):
            cosine = sum(x * y for x, y in zip(wanted, self._vectors[key], strict=True))
            shared = sum(self._rarity(topic) for topic in asked & words.topics(key)) + len(
                asked & _DAYS & words.topics(row)
            )
            bonus = sum(bonus for looks, bonus in expected if looks.search(row))
            rank = cosine + _SHARED * shared + bonus
            found.append(_Sentence(text=row, cosine=cosine, rank=rank, expected=bonus >= _TELLING))
        return found

    async def _candidates(self, query: str, asked: set[str]) -> list[Passage]:
        """The passages nearest in meaning, and those that share the rarest words: in a bicycle shop every passage is
        near to "return a bike"."""
        found = await self._knowledge.search(query, limit=_DEEP)
        self._read()

        def shared(passage: Passage) -> float:
            topics = self._topics.get(replace(passage, score=0.0), set())
            return sum(self._rarity(topic) for topic in asked & topics)

        by_words = sorted(found, key=lambda row: -shared(row))
        return list(dict.fromkeys([*found[:_NEAREST], *by_words[:_BY_WORDS]]))

    def _shares(self, asked: set[str], passage: Passage) -> bool:
        """Whether the passage holds a fair part of the words that tell what the question is about."""
        telling = asked - _GENERIC
        present = words.topics(f"{_last(passage.heading)} {passage.text}")
        held = sum(self._rarity(topic) for topic in telling if words.covers(topic, present, ""))
        unknown = sum(1 for topic in telling if not words.covers(topic, present, ""))
        return not telling or held / (held + unknown or 1) >= _FAIR_PART

    def mentions(self, topic: str) -> bool:
        """Whether any passage is about this, by one of its names."""
        return topic in _GENERIC or words.covers(topic, set(self._holding), "")

    def _rarity(self, topic: str) -> float:
        """From 1 for a word of a single passage down to 0 for a word of all."""
        holding, total = self._holding[topic], len(self._topics)
        return math.log(total / holding) / math.log(total) if holding and total > 1 else 0.0


def telling(topics: set[str]) -> set[str]:
    """Those topics that tell one business's question from another's."""
    return topics - _GENERIC


def sentences(text: str) -> list[str]:
    """The sentences and list items of a passage."""
    rows = [_BULLET.sub("", row.strip()) for row in _END.split(text) if row and row.strip()]
    return [row for row in rows if row] or [text]


def _last(heading: str) -> str:
    """The heading itself, without those above it, which all its neighbours share."""
    return heading.rsplit(" > ", 1)[-1]


def _join(scored: Sequence[_Sentence], budget: int) -> str:
    """The best sentence and its near equals, in their own order, within the budget."""
    ranked = sorted(range(len(scored)), key=lambda i: -scored[i].rank)
    best = scored[ranked[0]]
    chosen, used = [ranked[0]], len(best.text)
    for i in ranked[1:]:
        row = scored[i]
        if row.rank >= best.rank - _NEIGHBOUR and used + 2 + len(row.text) <= budget:
            chosen.append(i)
            used += 2 + len(row.text)
    rows = [scored[i].text.rstrip() for i in sorted(chosen)]
    text = " ".join(row if row.endswith((".", "!", "?", ":")) else f"{row}." for row in rows)
    return text if len(text) <= budget else f"{text[: budget - 3].rsplit(' ', 1)[0]}..."
