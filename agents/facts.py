"""What the person told us: statements from the history and from memory, in the order of time.

A colleague's words to the person count too ("Your appointment is on Friday").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agents import smalltalk, words
from agents.segments import Kind, Segment, split, told_first
from agents.turn import Turn, Utterance
from memory.item import SUMMARY, Recalled

# A correction that leaves out what it corrects ("Actually it's 4712") holds no more than this many words of meaning.
_BARE = 3

_SAYS_NAME = re.compile(
    r"\bmy (?:(?:full|first|real|actual) )?name(?: is|:| =|'s)? (?!is\b)[^\W\d_]|^(?:the )?name(?: is|:) [^\W\d_]|"
    r"\b(?:call me|like to be called|prefer to be called|prefer being called) (?!at|on|in|back|by|when|before|after|"
    r"tomorrow|later)[^\W\d_]|\bi go by [^\W\d_]|\bi am called [^\W\d_]"
)
_SAYS_I_AM = re.compile(
    r"\b(?:I'?m|I am|i'?m|i am|This is|this is|It'?s|it'?s) ([A-Z][^\W\d_]+(?:[ -][A-Z][^\W\d_]+)*)(?=\s*(?:[.,!]|$|"
    r"here\b|from\b|and\b|by the way))"
)
_NO_NAMES = re.compile(
    r"(?:German|French|Spanish|Italian|English|British|American|Portuguese|Brazilian|Dutch|Indian|Chinese|Japanese|"
    r"Polish|Irish|Scottish|Swedish|Danish|Canadian|Australian|Mexican|Monday|Tuesday|Wednesday|Thursday|Friday|"
    r"Saturday|Sunday|January|February|March|April|May|June|July|August|September|October|November|December|OK)\b"
)
# What "i am ..." in lower case says when it says no name.
_STATE = re.compile(
    r"(?:ed|ing|ful|ous|ic|ish|ian|ive|ent|ant|able|less)$|^(?:ok|okay|fine|good|well|sick|ill|late|here|back|sorry|"
    r"ready|busy|hungry|angry|"
    r"happy|sad|lost|done|single|new|old|vegan|sure|home|outside|free|alone|blind|deaf|mad|upset|thirsty|lazy|stuck|"
    r"right|wrong|in|"
    r"not|a|an|the|poor|rich|tall|short|cold|hot|dead|german|american|african|european|mexican|muslim|christian|"
    r"jewish|gay|male|female)$"
)
_CORRECTS = re.compile(
    r"^(?:(?:no|sorry|oh|wait|oops|correction|actually|i mean|i meant|scratch that|ah|hm+|my mistake|"
    r"my bad)\b[,:.! ]*)+(?:(?:it|that|this) (?:is|was|should be) )?"
    r"|^(?:it|that|this) (?:is|was|should be) (?:now |actually )?|^make (?:it|that) "
)
_SUBJECT = re.compile(r"\b(?:my|our) ((?:[\w-]+ ){0,3}?[\w-]+)(?: number)? (?:is|are|was|were|will be|=|has been)\b")
_ANOTHER = re.compile(
    r"(?:my|our) ((?:best |little |big |older |younger )?(?:friend|sister|brother|mother|mom|mum|father|dad|son|"
    r"daughter|wife|husband|"
    r"partner|girlfriend|boyfriend|boss|colleague|neighbou?r|uncle|aunt|cousin|grand\w+|kids?|child(?:ren)?|dog|cat|"
    r"pet|roommate|"
    r"flatmate|parents|baby|nephew|niece|puppy|kitten|parrot|horse|rabbit|hamster))s?\b(?! (?:and|&) (?:i|me)\b)"
)
_POSSESSED = re.compile(r"\b(?:my|our) (\w+)(?:['\u2019]s|s['\u2019]) (\w+)")
_WISHES = re.compile(r"\b(?:want|would like|need|can i|could i|looking for)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One statement. `context` is what it answers or corrects, `order` its place in time."""

    text: str
    plain: str
    source: str
    order: int
    context: str = ""
    role: str = "contact"

    @property
    def topics(self) -> set[str]:
        return words.topics(f"{self.context} {self.plain}")


def facts_of(turn: Turn, said_before: Sequence[Segment] = ()) -> list[Fact]:
    """All statements, oldest first. `said_before` are the turn's own segments ahead of the question."""
    facts: list[Fact] = []
    for role, text, source, before in _utterances(turn):
        answered = before.text if before and before.role != "contact" and before.text.rstrip().endswith("?") else ""
        for segment in split(text):
            _note(facts, segment, role, source, answered)
    for segment in said_before:
        _note(facts, segment, "contact", "conversation", "")
    return facts


def _utterances(turn: Turn) -> Iterator[tuple[str, str, str, Utterance | None]]:
    """Role, text, source and the utterance before it, in the order of time as far as it is known."""
    known = {(row.role, row.text.strip()) for row in turn.history}
    rows: list[tuple[datetime, str, str, str, Utterance | None]] = [
        (_aware(item.at), item.role, item.text, f"memory:{item.source}", _before(item))
        for item in turn.recalled
        if (item.role, item.text.strip()) not in known and item.kind != SUMMARY and item.invalid_at is None
    ]
    floor = max((row[0] for row in rows), default=datetime.min.replace(tzinfo=UTC))
    before: Utterance | None = None
    for utterance in turn.history:
        # The window is the newest there is: without a time of its own an utterance comes after what was recalled.
        at = _aware(utterance.at) if utterance.at else floor
        floor = max(floor, at) if utterance.at is None else floor
        rows.append((at, utterance.role, utterance.text, "conversation", before))
        before = utterance
    for row in sorted(rows, key=lambda row: row[0]):
        yield row[1:]


def _before(item: Recalled) -> Utterance | None:
    """The question that a recalled answer was given to."""
    return Utterance(role="agent", text=item.preceding) if item.preceding.rstrip().endswith("?") else None


def _note(facts: list[Fact], segment: Segment, role: str, source: str, answered: str) -> None:
    """Adds a segment to the facts if it states something."""
    if role not in {"contact", "operator"} or not segment.plain:
        return
    if segment.kind is Kind.QUESTION and (said := told_first(segment)):
        segment = said
    if segment.kind is Kind.QUESTION or smalltalk.answer(segment.whole):
        return
    context = answered
    if role == "contact" and not answered and facts and _CORRECTS.match(segment.plain):
        rest = _CORRECTS.sub("", segment.plain)
        if not re.search(r"\b(?:my|i|our|we)\b", rest) and len(words.topics(rest)) <= _BARE:
            context = subject(facts[-1]) or facts[-1].plain
    facts.append(
        Fact(
            text=segment.text,
            plain=segment.plain,
            source=source,
            order=len(facts),
            context=words.plain(context),
            role=role,
        )
    )


def says_name(fact: Fact) -> bool:
    """Whether a statement gives the person's own name, not a dog's."""
    if _SAYS_NAME.search(fact.plain) or re.search(r"\byour (?:\w+ )?name\b", fact.context):
        return True
    if (alone := re.fullmatch(r"i am ([^\W\d_]+)\W*", fact.plain)) and not _STATE.search(alone[1]):
        return True
    found = _SAYS_I_AM.search(fact.text)
    return bool(found and not _NO_NAMES.match(found[1]))


def subject(fact: Fact) -> str:
    """What "my ... is" speaks of, or nothing."""
    found = _SUBJECT.search(f"{fact.context} {fact.plain}")
    return found[0] if found else ""


def is_wish(fact: Fact) -> bool:
    """Whether it asks for something more than it tells something."""
    return bool(_WISHES.search(fact.plain))


def is_about_another(fact: Fact, wanted: set[str]) -> bool:
    """Whether a statement is about somebody else than the question: "My sister lives in Rome"."""
    about = wanted | {member for topic in wanted for member in words.MEMBERS.get(topic, ())}
    if (owned := _POSSESSED.search(fact.text.lower())) and words.topics(owned[1]) & about:
        thing = words.topics(owned[2]) - words.LIGHT
        return bool(thing) and not thing & about  # "My neighbour's kid" tells nothing of the neighbour
    found = _ANOTHER.match(fact.plain)
    if not found:
        return False
    whose = words.topics(found[1]) | set(found[1].split())
    return not whose & about


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
