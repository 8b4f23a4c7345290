"""An agent without a language model: it answers from the knowledge base and from what the person said, or says no.

It quotes and never composes, so it cannot invent. The person's own questions are answered only from the person's own
words, questions about the business only from the knowledge base.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from agents import personal, questions, smalltalk
from agents.extract import SURE, Extractor, telling
from agents.facts import Fact, facts_of, subject
from agents.segments import Kind, Segment, put_again, split
from agents.turn import Draft, Turn
from agents.words import topics
from memory.embedder import Embedder
from memory.knowledge import Knowledge

# A small fictitious shop, so that a fresh checkout has something to answer from.
SAMPLE = Path(__file__).parent / "sample_knowledge"

# Two concatenated SMS segments hold 306 characters; a little more is cut by no carrier.
REPLY_CHARS = 320

# Several questions in one turn: still one message, of at most about five segments.
SEVERAL_CHARS = 700

UNKNOWN = "I don't know that, sorry. A colleague can help you with it."
UNTOLD = "You haven't told me that yet, so I don't know."
LISTENING = "I'm here if you have a question."
NOTED = "Thanks, I'll remember that."
SORRY = "I'm sorry to hear that. I can't solve this myself, but a colleague can help you."
HUMAN = "I'm an automated assistant and can't do that myself, but a colleague can help you."

_TROUBLE = re.compile(
    r"\b(?:stolen|broke|broken|damaged|does not work|doesn't work|not working|stopped working|never arrived|"
    r"has not arrived|hasn't "
    r"arrived|didn't arrive|not arrived|still waiting|too late|wrong (?:item|size|order|colou?r)|complain|complaint|"
    r"disappointed|furious|scratched|cracked|bent|a flat|"
    r"(?:won't|will not|wouldn't) (?:start|turn on|work|open|close|move|charge|shift)|"
    r"angry|unhappy|terrible|awful|unacceptable|ridiculous|accident|overcharged|hurts?|painful|in pain|urgent|"
    r"emergency|leaks?|leaking|stuck|charged twice|defective|faulty)\b"
)
_FOR_A_HUMAN = re.compile(
    r"\b(?:speak|talk|chat|connect|transfer|pass|put)\b.*\b(?:human|person|agent|someone|somebody|colleague|operator|"
    r"representative|"
    r"manager|staff|people)\b|\b(?:real person|human please|operator please|customer service)\b|"
    r"\b(?:delete|forget|erase|remove)\b.*\b(?:my data|about me|me|everything|my information|my account)\b"
)
_POINTS = re.compile(r"\b(?:it|that|this|those|these|them|one)\b")
_FOLLOWS = re.compile(r"^(?:and |or |what about|how about|also|then)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    text: str
    kind: str
    sources: tuple[str, ...] = ()


class OfflineEngine:
    """`threshold` is the cosine below which the knowledge base is taken to have no answer.

    At 0.30 MiniLM answered 91 % of answerable questions and none of the off-topic ones of a labelled set.
    """

    def __init__(self, knowledge: Knowledge, embedder: Embedder, *, threshold: float = 0.30) -> None:
        self._embedder = embedder
        self._extractor = Extractor(knowledge, embedder, threshold=threshold)

    async def reply(self, turn: Turn) -> Draft:
        segments = split(turn.text)
        wants = sum(segment.kind in {Kind.QUESTION, Kind.REQUEST} for segment in segments)
        budget = REPLY_CHARS if wants < 2 else max(140, SEVERAL_CHARS // wants)  # noqa: PLR2004 - one has it all
        pieces: list[_Piece] = []
        for i, segment in enumerate(segments):
            piece = await self._piece(turn, segments[:i], segment, budget)
            if piece.kind == "unknown" and wants > 1:
                piece = _Piece(text=f'About "{_shortened(segment.text)}": {piece.text}', kind=piece.kind)
            pieces.append(piece)
        return _joined(pieces or [_Piece(text=LISTENING, kind="smalltalk")])

    async def _piece(self, turn: Turn, before: list[Segment], segment: Segment, budget: int) -> _Piece:
        if said := smalltalk.answer(segment.whole):
            return _Piece(text=said, kind="smalltalk")
        if segment.kind is Kind.NOTHING:
            return _Piece(text=LISTENING, kind="smalltalk")
        if _FOR_A_HUMAN.search(segment.plain):
            return _Piece(text=HUMAN, kind="unknown")
        if questions.is_personal(segment):
            return await self._personal(turn, before, segment)
        if segment.kind is Kind.STATEMENT or _answers_us(turn, segment):
            return await self._stated(segment, budget)
        return await self._asked(turn, before, segment, budget)

    async def _personal(self, turn: Turn, before: list[Segment], segment: Segment) -> _Piece:
        facts = facts_of(turn, before)
        found = await personal.find(segment, facts, self._embedder)
        if found is None and (again := put_again(segment)):
            found = await personal.find(again, facts, self._embedder)
        if found is None:
            return _Piece(text=UNKNOWN if questions.asks_status(segment) else UNTOLD, kind="unknown")
        return _Piece(text=found.text(), kind="answer", sources=found.sources)

    async def _stated(self, segment: Segment, budget: int) -> _Piece:
        if not _TROUBLE.search(segment.plain):
            return _Piece(text=NOTED, kind="smalltalk")
        if found := await self._extractor.answer(segment.text, budget=budget):
            return _Piece(text=f"I'm sorry to hear that. {found.text}", kind="answer", sources=(found.source,))
        return _Piece(text=SORRY, kind="apology")

    async def _of_something_unheard_of(self, segment: Segment, facts: list[Fact]) -> _Piece | None:
        """Who "who is Lea?" asks for, no knowledge base tells; if the person has told all of it, that answers."""
        asked = telling(topics(segment.plain))
        if segment.kind is not Kind.QUESTION or not asked or all(self._extractor.mentions(topic) for topic in asked):
            return None
        if re.search(r"\byour?\b", segment.plain):  # "Do you sell Bromptons?" is not answered by "I ride a Brompton"
            return None
        told = await personal.find(segment, facts, self._embedder, strictly=True)
        return _Piece(text=told.text(), kind="answer", sources=told.sources) if told else None

    async def _asked(self, turn: Turn, before: list[Segment], segment: Segment, budget: int) -> _Piece:
        facts = facts_of(turn, before)
        first = facts if questions.asks_again(segment) else [fact for fact in facts if _is_named_by(segment, fact)]
        if first and (told := await personal.find(segment, first, self._embedder, strictly=True)):
            return _Piece(text=told.text(), kind="answer", sources=told.sources)
        if _is_bare(segment) and not before and not turn.history:
            return _Piece(text=UNKNOWN, kind="unknown")
        if piece := await self._of_something_unheard_of(segment, facts):
            return piece
        found = await self._extractor.answer(segment.text, budget=budget)
        follows = _FOLLOWS.match(segment.plain) or not topics(segment.plain)
        if follows and (found is None or found.score < SURE) and (previous := _question_before(turn, before)):
            found = await self._extractor.answer(segment.text, context=previous, budget=budget) or found
        if found is None and before:  # "I bought a helmet. Can I return it?"
            found = await self._extractor.answer(segment.text, context=before[-1].text, budget=budget)
        if found:
            return _Piece(text=found.text, kind="answer", sources=(found.source,))
        if segment.kind is Kind.QUESTION and (
            told := await personal.find(segment, facts, self._embedder, strictly=not questions.speaks_of_self(segment))
        ):
            return _Piece(text=told.text(), kind="answer", sources=told.sources)
        if _TROUBLE.search(segment.plain):
            return _Piece(text=SORRY, kind="apology")
        return _Piece(text=UNKNOWN, kind="unknown")


def _is_bare(segment: Segment) -> bool:
    """Whether it points at something that it does not name: "And how much does that cost?"."""
    return bool(_POINTS.search(segment.plain)) and not telling(topics(segment.plain))


def _answers_us(turn: Turn, segment: Segment) -> bool:
    """Whether a bare value answers a question that we asked: "4711"."""
    if segment.kind is Kind.QUESTION or not turn.history:
        return False
    last = turn.history[-1]
    return last.role != "contact" and last.text.rstrip().endswith("?") and any(c.isdigit() for c in segment.plain)


def _is_named_by(segment: Segment, fact: Fact) -> bool:
    """Whether a bare name of a thing is just what the person has told: "order number?", "My order number is 4711"."""
    return questions.is_fragment(segment) and topics(subject(fact)) == topics(segment.plain)


def _question_before(turn: Turn, before: list[Segment]) -> str:
    """The person's question that a follow-up like "and on Sunday?" goes on from."""
    for segment in reversed(before):
        if segment.kind is Kind.QUESTION:
            return segment.text
    for utterance in reversed(turn.history):
        if utterance.role == "contact":
            asked = [segment for segment in split(utterance.text) if segment.kind is not Kind.STATEMENT]
            return asked[-1].text if asked and asked[-1].plain else ""
    return ""


def _joined(pieces: list[_Piece]) -> Draft:
    """One message: the answers in order, nothing twice, and no small talk beside an answer."""
    if any(piece.kind != "smalltalk" for piece in pieces):
        pieces = [piece for piece in pieces if piece.kind != "smalltalk" or piece.text == NOTED]
    texts = list(dict.fromkeys(piece.text for piece in pieces))
    kinds = {piece.kind for piece in pieces}
    kind = next((kind for kind in ("answer", "unknown", "apology") if kind in kinds), "smalltalk")
    sources = tuple(dict.fromkeys(source for piece in pieces for source in piece.sources))
    if kind == "smalltalk":
        texts = [NOTED] if NOTED in texts else texts[-1:]
    return Draft(text="\n".join(texts), sources=sources, kind=kind)


def _shortened(text: str) -> str:
    text = text.strip().rstrip("?").replace('"', "'")
    return text if len(text) <= 40 else f"{text[:37].rsplit(' ', 1)[0]}..."  # noqa: PLR2004 - enough to know which
