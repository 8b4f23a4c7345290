"""What the person told us, found again for the person's own questions, in the person's own words.

A question is met by a fact that covers what it asks about; among facts that do so about equally well the newest holds,
so that a correction replaces what it corrects. What no fact covers has not been told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents import facts as told
from agents import questions, words
from agents.facts import Fact
from agents.segments import Segment
from memory.embedder import Embedder

# Facts whose scores are this close say the same thing in different words: the newest of them holds.
_EQUAL = 0.3

# A fact that shares not every word of the question must be this near in meaning. Below it, the nearest statements are
# about something else (a cat's name for a dog's), above it they are paraphrases.
_PARAPHRASE = 0.5

# For a question that names nothing ("Which one did I want?") nearness is all there is.
_NOTHING_NAMED = 0.3

# How many facts a question about several things ("my pets") is answered with.
_SEVERAL = 3

# The same for a fact that shares none of its words.
_DISTANT_PARAPHRASE = 0.65

_NOUN_AND_VERB = re.compile(
    r"\b(?:what|which|how many|how much)(?: (?:kind|type|sort|brand) of)? (\w+(?: \w+)?) (?:do|did|am|was) (?:i|"
    r"we) (?:(?:say|mention|write|tell you)(?: that)? i )?(\w+)"
)
# Verbs that go with any noun: "I like tea" is no answer to "What music do I like?".
_VAGUE = frozenset({"like", "hav", "want", "get", "own", "us", "buy", "order"})
# An order number is no invoice number, however near they are in meaning.
# "What is my budget for the bike?" is about the budget.
_ASIDE = re.compile(r" (?:for|with|at|on|in) (?:the|my|our|this|that|your) (?:\w+ )?\w+$")
_QUALIFIED = re.compile(r"\b(\w+) (?:number|code|pin|password|id|reference)\b")
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
    scored = await _score(segment, facts, embedder, strictly=strictly)
    if not scored:
        return None
    best = max(score for score, _ in scored)
    equal = [fact for score, fact in scored if score >= best - _EQUAL]
    if questions.asks_several(segment):
        return Found(facts=tuple(_distinct(equal)[-_SEVERAL:]))
    return Found(facts=(equal[-1],))


async def _score(
    segment: Segment, facts: Sequence[Fact], embedder: Embedder, *, strictly: bool
) -> list[tuple[float, Fact]]:
    """Facts that may answer, with how well, in the order of time."""
    wanted = words.topics(segment.plain)
    candidates = [fact for fact in facts if _may_answer(segment.plain, wanted, fact)]
    if not candidates:
        return []
    [question, *vectors] = await embedder.embed([segment.text, *(f"{f.context} {f.text}".strip() for f in candidates)])
    scored = []
    for fact, vector in zip(candidates, vectors, strict=True):
        nearness = sum(x * y for x, y in zip(question, vector, strict=True))
        if not wanted:  # "Which one did I want?"
            if nearness >= _NOTHING_NAMED and not strictly:
                scored.append((nearness, fact))
            continue
        present, text = fact.topics, f"{fact.context} {fact.plain}"
        missing = _missing(segment.plain, wanted, present, text)
        heavy = missing - words.LIGHT
        if len(missing) == len(wanted) or heavy:
            named = {topic for topic in heavy if words.is_definite(topic)} | (heavy & _qualifier(segment.plain))
            if (
                strictly
                or named
                or nearness < _PARAPHRASE
                or (heavy and len(heavy) == len(wanted) and nearness < _DISTANT_PARAPHRASE)
            ):
                continue
        spoken_of = words.topics(told.subject(fact))
        score = 0.3 if spoken_of and spoken_of <= wanted else 0.0  # "My neighbour is ...", asked who the neighbour is
        score += 1 - 0.4 * len(heavy) - 0.1 * len(missing & words.LIGHT) + 0.5 * nearness - 0.3 * _stray(fact, wanted)
        scored.append((score - (0.3 if told.is_wish(fact) else 0.0), fact))
    return scored


def _qualifier(question: str) -> set[str]:
    found = _QUALIFIED.search(question)
    return words.topics(found[1]) if found else set()


def _missing(question: str, wanted: set[str], present: set[str], text: str) -> set[str]:
    """What the question is about and the fact does not say."""
    missing = {topic for topic in wanted if not words.covers(topic, present, text)}
    if aside := _ASIDE.search(question.rstrip(" ?.!")):
        core = words.topics(question[: aside.start()])
        missing -= (words.topics(aside[0]) - core) if core & wanted else set()
    if "age" in missing and len(wanted) > 1 and words.has_number(text):  # "My son Tomas is 6"
        missing.discard("age")
    if found := _NOUN_AND_VERB.search(question):  # "What car do I drive?": "I drive a Mini", "My car is a Mini"
        nouns, verbs = words.topics(found[1]) & wanted, words.topics(found[2]) & wanted
        if (verbs and not verbs & missing and not verbs <= _VAGUE) or (nouns and not nouns & missing):
            missing -= nouns | verbs
    return missing


def _may_answer(question: str, wanted: set[str], fact: Fact) -> bool:
    """Whether a fact holds the kind of thing that is asked for, and more than the question itself."""
    if fact.role == "operator" and not re.search(r"\byour?\b", fact.plain):
        return False
    if told.is_about_another(fact, wanted):
        return False
    text = f"{fact.context} {fact.plain}"
    if re.search(r"\bwhen (?:is|was|are|did|do|does)\b|\bwhat (?:time|day|date)\b", question) and not words.has_time(
        text
    ):
        return False
    asks_number = re.search(r"\bhow (?:many|old|tall|heavy|much)\b|\bnumber\b|\bphone\b", question)
    if asks_number and not words.has_number(fact.plain):
        return False
    if re.match(r"(?:and )?(?:do|did|am|is|was|have|are)\b", question):  # yes or no: the statement itself answers
        return True
    return bool(words.topics(fact.plain) - wanted) or words.has_number(fact.plain)


def _stray(fact: Fact, wanted: set[str]) -> int:
    """How many words of "my ... is" are not asked about: "my order number is" for "what is my phone number"."""
    subject = words.topics(told.subject(fact))
    about = wanted | {member for topic in wanted for member in words.MEMBERS.get(topic, ())}
    return len(subject - about - words.LIGHT)


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
