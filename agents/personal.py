"""What the person told us, found again for the person's own questions, in the person's own words.

Among facts that answer about equally well the newest holds, so that a correction replaces what it corrects. What no
fact answers has not been told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents import facts as told
from agents import matching, questions
from agents.facts import Fact
from agents.matching import Match
from agents.segments import Segment
from memory.embedder import Embedder

# Facts whose scores are this close say the same thing in different words: the newest of them holds. One that says
# that something has changed, or is worded alike, may be further away.
_EQUAL, _LIKELY = 0.3, 0.6

# Sentences about one thing, as cosine: "I am in room 4" and "They moved us, my room number is 9 now" reach 0.45.
_ALIKE = 0.45

_CHANGES = re.compile(
    r"\b(?:now|moved|changed?|changes|cancel\w*|rebooked|instead|correct\w*|updated?|new|no longer|these days)\b"
)

# How many facts a question about several things ("my pets") is answered with.
_SEVERAL = 3

# Longer statements are cut: what was asked for is nearly always near their beginning.
_QUOTE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The facts that answer a question, newest last."""

    facts: tuple[Fact, ...]

    def text(self) -> str:
        quoted = " and ".join(f'"{_short(fact.text)}"' for fact in self.facts)
        return f"Our colleague wrote: {quoted}" if self.facts[0].role == "operator" else f"You told me: {quoted}"

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(fact.source for fact in self.facts)


async def find(segment: Segment, facts: Sequence[Fact], embedder: Embedder, *, strictly: bool = False) -> Found | None:
    """The facts that answer a personal question, or None if nothing was told.

    `strictly` accepts only facts that share every word the question is about.
    """
    mine = [fact for fact in facts if fact.role == "contact"]
    if questions.asks_status(segment):
        facts = [fact for fact in facts if fact.role == "operator"]
    if questions.asks_last(segment) and mine:
        return Found(facts=(mine[-1],))
    if questions.asks_own_name(segment):
        named = [fact for fact in mine if told.says_name(fact)]
        return Found(facts=(named[-1],)) if named else None
    if questions.asks_all(segment) and mine:
        return Found(facts=tuple(fact for fact in mine if not told.is_wish(fact))[-_SEVERAL:] or (mine[-1],))
    matches = await matching.find(segment, facts, embedder, strictly=strictly)
    answering = [match for match in matches if match.score is not None]
    if not answering:
        return None
    leader = max(answering, key=lambda match: match.score or 0.0)
    equal = [match.fact for match in matches if match is leader or _is_equal(match, leader)]
    if questions.asks_several(segment):
        return Found(facts=tuple(_distinct(equal)[-_SEVERAL:]))
    return Found(facts=(equal[-1],))


def _is_equal(match: Match, leader: Match) -> bool:
    """Whether a fact would do as well as the one that answers best."""
    best, score = leader.score or 0.0, match.score
    if score is not None and score >= best - _EQUAL:
        return True
    if match.fact.order < leader.fact.order or matching.cosine(leader.vector, match.vector) < _ALIKE:
        return False
    if score is not None and score >= best - _LIKELY:
        return True
    return bool(_CHANGES.search(match.fact.plain)) and bool(leader.shared & match.shared)


def _distinct(facts: Sequence[Fact]) -> list[Fact]:
    """Without those that a later one replaces: the same "my ... is" again, or the same text."""
    latest: dict[str, Fact] = {}
    for fact in facts:
        key = told.subject(fact) or fact.plain
        latest.pop(key, None)
        latest[key] = fact
    return list(latest.values())


def _short(text: str) -> str:
    text = text.strip().replace('"', "'")
    return text if len(text) <= _QUOTE else f"{text[: _QUOTE - 3].rsplit(' ', 1)[0]}..."
