"""What is worth remembering of what a person said about themselves.

The rules quote and never compose: a fact is a sentence of the person's own. Its key says what it is about, where only
one such thing can hold at a time: of two addresses the later one is theirs. A fact without a key stands beside others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from agents import smalltalk, words
from agents.facts import Fact, says_name
from agents.segments import Kind, split, told_first
from agents.turn import Learned


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message of the person's. `preceding` is the message before it, whose question it may answer."""

    text: str
    preceding: str = ""


class FactExtractor(Protocol):
    """Finds facts. It may run more than once for the same message, and must find the same each time."""

    async def extract(self, heard: Heard) -> tuple[Learned, ...]:
        """The facts in a message, in its order. Raises AgentFailed."""
        ...


# What a person has one of. A noun that is not here may be many ("my bike is broken", "my bike is a Trek").
_SINGLE = (
    r"(?:name|surname|nickname|address|e-?mail(?: address)?|(?:\w+ )?(?:number|code|size|colou?r)|"
    r"\w+ (?:reference|plate|date|time)|phone|pin|password|budget|height|weight|age|birthday|appointment|booking|"
    r"reservation|job|profession|postcode|zip|deadline|commute|"
    r"insurance|club|employer|nationality|hometown|due date|flight|hotel|doctor|dentist|tyres|tires|boss|neighbou?r)"
)
_IS = r"(?:is|are|was|were|will be|has (?:gone up|gone down|been moved|moved) to|=|:)"
# "My address for the parcel is ..."
_FOR = r"(?:for [^?:]{1,30}?)?"
_MINE = re.compile(
    rf"\b(?:my|our|the) (?:new |current |correct |actual |right )?({_SINGLE}) (?:now )?{_FOR}{_IS}(?: now)? \S"
    rf"|\bthat is (?:my|our) ({_SINGLE})\W*$"
)
_BARE = re.compile(rf"^({_SINGLE})(?: {_IS})? (?=\S*\d)")
_ASKED = re.compile(rf"\b(?:your|the) ({_SINGLE})\b[^?]*\?\s*$")
_WHICH = re.compile(r"\b(?:which|what) (colou?r|size|brand|model|day|time|kind|type) (.+)\?\s*$")

# Verbs of which one object holds at a time, by the key they share.
_VERBS = tuple(
    (re.compile(pattern), key)
    for pattern, key in (
        (r"\bi (?:now |currently )?(?:live in|live at|(?:just |have )?moved to)\b|\bwhere i live\b", "residence"),
        (r"\bi (?:now |currently )?(?:work as|work for|work at) ", "job"),
        (r"\bi (?:now |currently )?drive an? ", "car"),
        (r"\bi (?:now |currently |mostly )?ride an? ", "ride"),
        (r"\bi (?:now |currently )?weigh \d", "weight"),
        (r"\bi am (?:now )?\d[\w.,]* ?(?:m|cm|feet|ft|inch\w*)? tall\b", "height"),
        (r"\bi am (?:now )?\d{1,3}(?: years)?(?: old)?(?=\W*(?:$|[.,!]))", "age"),
        (r"\b(?:i have|we have|i am on) insurance (?:with|at) |\bi am insured (?:with|by|at) ", "insurance"),
        (r"\byou can (?:e-?mail|write to) me (?:at|on) ", "email"),
        (r"\b(?:reach|call|text|phone) me (?:at|on|under) (?=\S*\d)", "phone"),
        (r"\bi (?:have|got) (?:an|my) appointment\b", "appointment"),
    )
)
_OF_THEIRS = re.compile(r"\b(?:i|my|me|mine|we|our|us)\b")

# A bare answer is short; a longer text that follows a question goes its own way.
_ANSWER_WORDS = 8


class RuleExtractor:
    """English, in microseconds, and sure of little: rather no key than a wrong one."""

    async def extract(self, heard: Heard) -> tuple[Learned, ...]:
        segments = [one for one in split(heard.text) if one.plain and not smalltalk.answer(one.whole)]
        answered = heard.preceding if heard.preceding.rstrip().endswith("?") else ""
        found = []
        for segment in segments:
            said = (told_first(segment) or segment) if segment.kind is Kind.QUESTION else segment
            if said.kind is Kind.QUESTION:
                continue
            key = _key(said.text, said.plain, answered if len(segments) == 1 else "")
            if key or (said.kind is Kind.STATEMENT and _OF_THEIRS.search(said.plain)):
                found.append(Learned(text=said.text, key=key))
        return tuple(found)


def _key(text: str, plain: str, answered: str) -> str:
    """What a statement is the only one about, or ""."""
    if says_name(Fact(text=text, plain=plain, source="", order=0, context=words.plain(answered))):
        return "name"
    for pattern in (_MINE, _BARE):
        if found := pattern.search(plain):
            return _normal(next(noun for noun in found.groups() if noun))
    for verb, key in _VERBS:
        if verb.search(plain):
            return key
    if answered and len(plain.split()) <= _ANSWER_WORDS:
        asked = words.plain(answered)
        if found := _ASKED.search(asked):
            return _normal(found[1])
        if re.search(r"\bhow tall\b", asked):
            return "height"
        if found := _WHICH.search(asked):
            return _normal(f"{found[1]} {found[2]}")
    return ""


def _normal(noun: str) -> str:
    """One key for all ways to name a thing: "favourite colour" and "favorite color"."""
    if noun == "address":  # a street is not a town, as which it would count among the topics
        return noun
    return " ".join(sorted(words.topics(noun))) or noun
