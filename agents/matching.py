"""How well a statement of the person's answers a question: by the words they share, and by meaning.

A fact answers a question if it covers what the question is about, if it is a near paraphrase, or if it is nearer to it
than all that the person said of other things. Never if the question names a thing of its own (a cat, an order number)
and the fact another (a dog, an invoice number): those are near to each other in meaning, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents import facts as told
from agents import words
from agents.facts import Fact
from agents.segments import Segment
from memory.embedder import Embedder

# All are cosines of question and fact, or differences of them; `make bench-memory` measures what they do.

# A fact that shares not every word of the question must be this near. Below it, the nearest statements are about
# something else (a cat's name for a dog's), above it they are paraphrases.
_PARAPHRASE = 0.5

# The same for a fact that shares none of its words.
_DISTANT_PARAPHRASE = 0.65

# Less is enough for one that stands out: this near, and by so much nearer than whatever says something else.
_FAR, _FAR_STRICTLY, _APART = 0.33, 0.40, 0.08

# Two facts that say the same of one thing.
_SAME = 0.6

# For a question that names nothing ("Which one did I want?") nearness is all there is.
_NOTHING_NAMED = 0.3

_NOUN_AND_VERB = re.compile(
    r"\b(?:what|which|how many|how much)(?: (?:kind|type|sort|brand) of)? (\w+(?: \w+)?) (?:do|did|am|was) (?:i|"
    r"we) (?:(?:say|mention|write|tell you)(?: that)? i )?(\w+)"
)
# Verbs that go with any noun: "I like tea" is no answer to "What music do I like?".
_VAGUE = frozenset({"like", "hav", "want", "get", "own", "us", "buy", "order", "residence", "ask", "tak"})
# An order number is no invoice number, however near they are in meaning.
# "What is my budget for the bike?" is about the budget.
_ASIDE = re.compile(r" (?:for|with|at|on|in|to) (?:the|my|our|this|that|your) (?:\w+ )?\w+$")
_QUALIFIED = re.compile(r"\b(\w+) (?:number|code|pin|password|id|reference|size|colou?r|plate|date)\b")
# Nouns that say nothing alone: an invoice has a number, too.
_BLANK = words.topics("number code name date day time size kind type thing one reference id")
# "I ride a lot" tells no bike.
_IDLE = re.compile(r"\b(\w+) (?:a lot|a bit|a little|often|much|every day|sometimes)\b")
# What a question asks for by its name: "When is my massage?".
_HEAD = re.compile(
    r"\b(?:(?:is|are|was|were|repeat|remember|confirm) (?:my|our)"
    r"|(?:what|which)(?= (?:\w+ )?\w+ did i (?:tell|say|mention|give)\b)) ((?:\w+ )?\w+)"
    r"(?:\W*(?:called|again|now|please)?\W*$| did i )"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A fact beside a question. `score` is None if it does not answer; `shared` is what both are about."""

    fact: Fact
    vector: Sequence[float]
    score: float | None
    shared: frozenset[str]


async def find(segment: Segment, facts: Sequence[Fact], embedder: Embedder, *, strictly: bool = False) -> list[Match]:
    """All facts that hold the kind of thing that is asked for, in the order of time.

    `strictly` accepts only those that share every word the question is about, or clearly stand out.
    """
    wanted = words.topics(segment.plain)
    candidates = [fact for fact in facts if _may_answer(segment.plain, wanted, fact)]
    if not candidates:
        return []
    [question, *vectors] = await embedder.embed([segment.text, *(f"{f.context} {f.text}".strip() for f in candidates)])
    nearness = [cosine(question, vector) for vector in vectors]
    standing_out = _standing_out(nearness, vectors, _FAR_STRICTLY if strictly else _FAR)
    return [
        Match(
            fact=fact,
            vector=vector,
            score=_score(segment.plain, wanted, fact, near, stands_out=place in standing_out, strictly=strictly),
            shared=frozenset(wanted & fact.topics - _BLANK),
        )
        for place, (fact, vector, near) in enumerate(zip(candidates, vectors, nearness, strict=True))
    ]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors of unit length."""
    return sum(x * y for x, y in zip(one, other, strict=True))


def _score(
    question: str, wanted: set[str], fact: Fact, near: float, *, stands_out: bool, strictly: bool
) -> float | None:
    """How well a fact answers; None if it does not."""
    if not wanted:  # "Which one did I want?"
        return near if near >= _NOTHING_NAMED and not strictly else None
    missing = _missing(question, wanted, fact.topics, f"{fact.context} {fact.plain}")
    instead = {topic for topic in missing if words.INSTEAD.get(topic) in fact.topics}
    missing -= instead
    heavy = missing - words.LIGHT if wanted - words.LIGHT else missing
    if (heavy or len(missing) == len(wanted)) and not _is_paraphrase(
        question, heavy, fact, near, is_far=heavy == wanted, stands_out=stands_out, strictly=strictly
    ):
        return None
    score = 1 - 0.4 * len(heavy) - 0.1 * len(missing & words.LIGHT) + 0.5 * near
    score -= 0.3 * _stray(fact, wanted) + 0.4 * len(instead)
    spoken_of = words.topics(told.subject(fact))
    if spoken_of and spoken_of <= wanted:  # "My neighbour is ...", asked who the neighbour is
        score += 0.3
    return score - (0.3 if told.is_wish(fact) else 0.0)


def _is_paraphrase(
    question: str, heavy: set[str], fact: Fact, near: float, *, is_far: bool, stands_out: bool, strictly: bool
) -> bool:
    """Whether a fact answers though `heavy` of the question is not in it."""
    if any(words.is_definite(topic) for topic in heavy) or heavy & _named_by(_QUALIFIED, question):
        return False
    if not strictly and near >= (_DISTANT_PARAPHRASE if is_far and heavy else _PARAPHRASE):
        return True
    # What is asked for by name must be near; so must a bare answer, which was given to another question.
    is_particular = bool(heavy & (_named_by(_HEAD, question) - words.LIGHT)) or bool(fact.context)
    return stands_out and (near >= _PARAPHRASE or not is_particular)


def _standing_out(nearness: Sequence[float], vectors: Sequence[Sequence[float]], least: float) -> set[int]:
    """The fact that is clearly nearer than all that say something else, with those that say the same."""
    best = max(range(len(nearness)), key=nearness.__getitem__)
    if nearness[best] < least:
        return set()
    same = {place for place, vector in enumerate(vectors) if cosine(vectors[best], vector) >= _SAME}
    rest = max((near for place, near in enumerate(nearness) if place not in same), default=0.0)
    return same if nearness[best] - rest >= _APART else set()


def _named_by(pattern: re.Pattern[str], question: str) -> set[str]:
    found = pattern.search(question)
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
        nouns, verbs = (words.topics(found[1]) & wanted) - _BLANK, words.topics(found[2]) & wanted
        if (verbs and not verbs & missing and not verbs <= _VAGUE) or (nouns and not nouns & missing):
            missing -= words.topics(found[1]) | verbs
    return missing


def _may_answer(question: str, wanted: set[str], fact: Fact) -> bool:
    """Whether a fact holds the kind of thing that is asked for, and more than the question itself."""
    if fact.role == "operator" and not re.search(r"\byour?\b", fact.plain):
        return False
    if told.is_about_another(fact, wanted):
        return False
    text = f"{fact.context} {fact.plain}"
    if (found := _NOUN_AND_VERB.search(question)) and found[2] in _IDLE.findall(fact.plain):
        return False
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
