"""What the person told us, found again for the person's own questions, in the person's own words.

A fact is a statement of the contact's (or of a colleague's to the contact) from the history or from memory. A question
is met by a fact that covers what it asks about; among facts that do so about equally well the newest holds, so that a
correction replaces what it corrects. What no fact covers has not been told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agents import smalltalk, words
from agents.segments import Kind, Segment, split
from agents.turn import Turn, Utterance
from memory.embedder import Embedder

# Facts whose scores are this close say the same thing in different words: the newest of them holds.
_EQUAL = 0.3

# A fact that shares not every word of the question must be this near in meaning. Below it, the nearest statements are
# about something else (a cat's name for a dog's), above it they are paraphrases.
_PARAPHRASE = 0.5

# How many facts a question about several things ("my pets") is answered with.
_SEVERAL = 3

_STATIVE = (
    r"(?:live|work|like|love|prefer|hate|own|drive|ride|have(?! to)|study|speak|play|eat|drink|enjoy|weigh|wear|want to (?:buy|"
    r"learn|eat|be)|come from|collect|read|do for|take|pay|sit|stay|need to (?:take|avoid)|use)"
)
_PAST = (
    r"(?:say|tell|mention|give|order|buy|ask|want|choose|pick|book|write|send|call|name|study|work|live|move|pay|break|lose|"
    r"visit|go|have|get|complain|need|prefer|reserve|schedule|decide|like|meet|start|grow)"
)
_PERSONAL = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:what|which|who|whom|when|where|how (?:old|many|much|tall|big|long|heavy)) (?:is|was|are|were|did|does) "
        r"(?:again |really )?(?:my|mine|our)\b(?! (?:options?|rights?|chances?|choices|next step))",
        r"^(?:and )?(?:what|which|whose|how many|how much)(?: \w+){1,3} (?:is|was|are|were|does|did|do) (?:my|mine|our)\b",
        rf"\b(?:what|which|who|when|where|how|whose)(?: \w+){{0,3}} (?:do|did) (?:i|we) (?:usually |normally |always |just "
        rf"|currently |really |already |like to |love to )?(?:{_STATIVE}|again)\b",
        rf"\b(?:what|which|who|when|where|how|whose)(?: \w+){{0,3}} did (?:i|we) (?:just |already |originally |first )?{_PAST}\b",
        r"\b(?:what|who|where|how (?:old|tall|heavy)) (?:am|was) i\b(?! (?:supposed|allowed|able|entitled|paying|charged|getting))",
        r"\b(?:did|have|had) i (?:ever |already |not )*(?:tell|told|say|said|mention|mentioned|give|given|gave|share|shared)\b",
        r"\bi (?:have )?(?:already )?(?:told|gave|mentioned|said)\b.*\?",
        r"\b(?:remember|forget|forgot|remind|recall)\b.*\b(?:my|i|me|mine|our|we)\b",
        r"\b(?:do|does) (?:you|anyone|your \w+) (?:still )?(?:know|have|see|got)\b.*\b(?:my|who i|where i|what i|when i|about me)\b",
        r"\b(?:tell|show|give|send|repeat)(?: to)? me (?:again )?(?:what |which |when |where )?(?:my|is my|was my)\b",
        r"\bknow(?:n)? about me\b|\babout myself\b",
        r"^(?:and )?(?:my|our) [\w' -]+\?$",
        r"\b(?:do|did) i (?:have (?:a|an|any)|like|love|own|live|work|prefer|drive|speak|eat|play|hate)\b(?! to\b)",
        r"^(?:and )?am i (?:a |an |still )?(?!allowed|able|entitled|supposed|eligible|too|talking|speaking|in the right|late)\w+",
        r"\b(?:what|which) (?:\w+ ){1,2}am i (?:in|on|at|\w+ing)\b",
        r"\bwhen am i \w+ing\b",
        r"\b(?:repeat|confirm|recall) (?:my|our)\b",
        r"\bcan(?:no|')t i (?:eat|drink|have)\b",
        r"\b(?:is|was|are) my (?:\w+ )?(?:name|age|birthday|address|email|number|favou?rite|job)\b",
    )
)
_ABOUT_SERVICE = re.compile(
    r"\b(?:can|could|may|should|must|shall|will|would|might) (?:i|we|my)\b|\bdo (?:i|we) (?:need|have to|pay|get|owe)\b|"
    r"\b(?:what|how|where|when|who|which)(?: \w+)? (?:do|can|should|would|must|will) (?:i|we) (?:do|get|find|send|return|pay|book|"
    r"contact|call|reach|cancel|change|track|park|bring|pick|collect|drop|make|order|buy|sign|apply|need)\b(?! for (?:work|a))|"
    r"\b(?:what|happens) if (?:i|my|we)\b|\bwhat happens\b"
)
_RECALL_CUE = re.compile(
    r"\b(?:remember|remind|forgot)\b|\bdid i (?:\w+ )?(?:say|tell|mention|give|order|buy|choose|pick|ask)\b|\bi told you\b"
)
_ALL = re.compile(
    r"\b(?:what|everything|anything)\b.*\b(?:know|remember|told|tell|said|noted|have)\b.*\b(?:about me|about myself|me)\b"
)
_LAST = re.compile(
    r"what (?:did|was) i (?:just |last )?(?:say|said|ask|asked|write|wrote|tell you|saying|talking about)(?: last| before| you| to you| earlier| again)*\W*$"
)
_OWN_NAME = re.compile(
    r"\bmy (?:(?:full|first|real|own|actual) )?name\b|\bwho am i\b|\bwhat am i called\b|\bi am called\b|\bam i called\b"
)
_SAYS_NAME = re.compile(
    r"\bmy (?:(?:full|first|real|actual) )?name(?: is|:| =|'s)? (?!is\b)[^\W\d_]|^(?:the )?name(?: is|:) [^\W\d_]|\bcall me [^\W\d_]|\bi go by [^\W\d_]|\bi am called [^\W\d_]"
)
_SAYS_I_AM = re.compile(
    r"\b(?:I'?m|I am|i'?m|i am|This is|this is|It'?s|it'?s) ([A-Z][^\W\d_]+(?:[ -][A-Z][^\W\d_]+)*)(?=\s*(?:[.,!]|$|here\b|from\b|and\b|by the way))"
)
_NO_NAMES = re.compile(
    r"(?:German|French|Spanish|Italian|English|British|American|Portuguese|Brazilian|Dutch|Indian|Chinese|Japanese|"
    r"Polish|Irish|Scottish|Swedish|Danish|Canadian|Australian|Mexican|Monday|Tuesday|Wednesday|Thursday|Friday|"
    r"Saturday|Sunday|January|February|March|April|May|June|July|August|September|October|November|December|OK)\b"
)
# What "i am ..." in lower case says when it says no name.
_STATE = re.compile(
    r"(?:ed|ing|ful|ous|ic|ish|ian|ive|ent|ant|able|less)$|^(?:ok|okay|fine|good|well|sick|ill|late|here|back|sorry|ready|busy|hungry|angry|"
    r"happy|sad|lost|done|single|new|old|vegan|sure|home|outside|free|alone|blind|deaf|mad|upset|thirsty|lazy|stuck|right|wrong|in|"
    r"not|a|an|the|poor|rich|tall|short|cold|hot|dead|german|american|african|european|mexican|muslim|christian|jewish|gay|male|female)$"
)
_CORRECTS = re.compile(
    r"^(?:(?:no|sorry|oh|wait|oops|correction|actually|i mean|i meant|scratch that|ah|hm+|my mistake|my bad)[,:.! ]*)+(?:(?:it|that|this) (?:is|was|should be) )?"
    r"|^(?:it|that|this) (?:is|was|should be) (?:now |actually )?|^make (?:it|that) "
)
_SUBJECT = re.compile(r"\b(?:my|our) ((?:[\w-]+ ){0,3}?[\w-]+)(?: number)? (?:is|are|was|were|will be|=|has been)\b")
_NOUN_AND_VERB = re.compile(
    r"\b(?:what|which|how many|how much)(?: (?:kind|type|sort|brand) of)? (\w+(?: \w+)?) (?:do|did|am|was) (?:i|we) (\w+)"
)
# Verbs that go with any noun: "I like tea" is no answer to "What music do I like?".
_VAGUE = frozenset({"like", "hav", "want", "get", "own", "us", "buy", "order"})
_ANOTHER = re.compile(
    r"(?:my|our) ((?:best |little |big |older |younger )?(?:friend|sister|brother|mother|mom|mum|father|dad|son|daughter|wife|husband|"
    r"partner|girlfriend|boyfriend|boss|colleague|neighbou?r|uncle|aunt|cousin|grand\w+|kids?|child(?:ren)?|dog|cat|pet|roommate|"
    r"flatmate|parents|baby|nephew|niece|puppy|kitten|parrot|horse|rabbit|hamster))s?\b(?! (?:and|&) (?:i|me)\b)"
)
_WISHES = re.compile(r"\b(?:want|would like|need|can i|could i|looking for)\b")
_SEVERAL_THINGS = re.compile(
    r"\b(?:pets|kids|children|allerg\w+|hobbies|siblings|brothers|sisters|sons|daughters|dogs|cats|bikes|orders|appointments|"
    r"names|numbers|things|preferences|favou?rites|cars|languages)\b"
)
_QUOTE = 200


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


def is_personal(segment: Segment) -> bool:
    """Whether a question is about the person, so that only the person's own words can answer it."""
    if segment.kind is Kind.STATEMENT:
        return False
    if _RECALL_CUE.search(segment.plain):
        return True
    if _ABOUT_SERVICE.search(segment.plain):
        return False
    return any(pattern.search(segment.plain) for pattern in _PERSONAL)


def asks_again(segment: Segment) -> bool:
    """Whether it asks for something said before without saying whose: "what was the order number again?"."""
    return not re.search(r"\byour?\b", segment.plain) and bool(
        re.search(r"\b(?:what|when|where|which|who|how \w+) (?:was|were)\b|\bagain\b", segment.plain)
    )


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
    rows: list[tuple[datetime, str, str, str, Utterance | None]] = []
    known = {(row.role, row.text.strip()) for row in turn.history}
    for item in turn.recalled:
        if (item.role, item.text.strip()) not in known:
            rows.append((_aware(item.at), item.role, item.text, f"memory:{item.source}", None))
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


def _note(facts: list[Fact], segment: Segment, role: str, source: str, answered: str) -> None:
    """Adds a segment to the facts if it states something."""
    if role not in {"contact", "operator"} or not segment.plain:
        return
    if segment.kind is Kind.QUESTION or smalltalk.answer(segment.whole):
        return
    context = answered
    if role == "contact" and not answered and facts and _CORRECTS.match(segment.plain):
        rest = _CORRECTS.sub("", segment.plain)
        if not re.search(r"\b(?:my|i|our|we)\b", rest) and len(words.topics(rest)) <= 3:  # noqa: PLR2004 - a bare value
            previous = facts[-1]
            subject = _SUBJECT.search(previous.plain)
            context = subject[0] if subject else previous.plain
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


async def find(segment: Segment, facts: Sequence[Fact], embedder: Embedder, *, strictly: bool = False) -> Found | None:
    """The facts that answer a personal question, or None if nothing was told.

    `strictly` accepts only facts that share every word the question is about.
    """
    mine = [fact for fact in facts if fact.role == "contact"]
    if _LAST.search(segment.plain) and mine:
        return Found(facts=(mine[-1],))
    if _OWN_NAME.search(segment.plain) and not words.topics(segment.plain) - {"name"}:
        named = [fact for fact in mine if says_name(fact)]
        return Found(facts=(named[-1],)) if named else None
    if _ALL.search(segment.plain) and mine and not words.topics(segment.plain) - {"name"}:
        return Found(facts=tuple(fact for fact in mine if not _WISHES.search(fact.plain))[-_SEVERAL:] or (mine[-1],))
    scored = await _score(segment, facts, embedder, strictly=strictly)
    if not scored:
        return None
    best = max(score for score, _ in scored)
    equal = [fact for score, fact in scored if score >= best - _EQUAL]
    if _SEVERAL_THINGS.search(segment.plain):
        return Found(facts=tuple(_distinct(equal)[-_SEVERAL:]))
    return Found(facts=(equal[-1],))


def says_name(fact: Fact) -> bool:
    """Whether a statement gives the person's own name, not a dog's."""
    if _SAYS_NAME.search(fact.plain) or re.search(r"\byour (?:\w+ )?name\b", fact.context):
        return True
    if (alone := re.fullmatch(r"i am ([^\W\d_]+)\W*", fact.plain)) and not _STATE.search(alone[1]):
        return True
    found = _SAYS_I_AM.search(fact.text)
    return bool(found and not _NO_NAMES.match(found[1]))


async def _score(
    segment: Segment, facts: Sequence[Fact], embedder: Embedder, *, strictly: bool
) -> list[tuple[float, Fact]]:
    """Facts that may answer, with how well, in the order of time."""
    wanted = words.topics(segment.plain)
    candidates = [fact for fact in facts if _may_answer(segment.plain, wanted, fact)]
    if not candidates or not wanted:
        return []
    [question, *vectors] = await embedder.embed([segment.text, *(f"{f.context} {f.text}".strip() for f in candidates)])
    scored = []
    for fact, vector in zip(candidates, vectors, strict=True):
        nearness = sum(x * y for x, y in zip(question, vector, strict=True))
        present, text = fact.topics, f"{fact.context} {fact.plain}"
        missing = _missing(segment.plain, wanted, present, text)
        heavy = missing - words.LIGHT
        if len(missing) == len(wanted) or heavy:
            named = {topic for topic in heavy if words.is_definite(topic)}
            if strictly or named or nearness < _PARAPHRASE or (heavy and len(heavy) == len(wanted) and nearness < 0.65):
                continue
        score = 1 - 0.4 * len(heavy) - 0.1 * len(missing & words.LIGHT) + 0.5 * nearness - 0.3 * _stray(fact, wanted)
        scored.append((score - (0.3 if _WISHES.search(fact.plain) else 0.0), fact))
    return scored


def _missing(question: str, wanted: set[str], present: set[str], text: str) -> set[str]:
    """What the question is about and the fact does not say."""
    missing = {topic for topic in wanted if not words.covers(topic, present, text)}
    if "age" in missing and len(wanted) > 1 and words.has_number(text):  # "My son Tomas is 6"
        missing.discard("age")
    if found := _NOUN_AND_VERB.search(question):  # "What car do I drive?": "I drive a Mini", "My car is a Mini"
        nouns, verbs = words.topics(found[1]) & wanted, words.topics(found[2]) & wanted
        if (verbs and not verbs & missing and not verbs <= _VAGUE) or (nouns and not nouns & missing):
            missing -= nouns | verbs
    return missing


def _about_another(fact: Fact, wanted: set[str]) -> bool:
    """Whether a statement is about somebody else than the question: "My sister lives in Rome"."""
    found = _ANOTHER.match(fact.plain)
    if not found:
        return False
    whose = words.topics(found[1])
    about = wanted | {member for topic in wanted for member in words.MEMBERS.get(topic, ())}
    return not whose & about


def _may_answer(question: str, wanted: set[str], fact: Fact) -> bool:
    """Whether a fact holds the kind of thing that is asked for, and more than the question itself."""
    if fact.role == "operator" and not re.search(r"\byour?\b", fact.plain):
        return False
    if _about_another(fact, wanted):
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
    found = _SUBJECT.search(f"{fact.context} {fact.plain}")
    if not found:
        return 0
    subject = words.topics(found[0])
    about = wanted | {member for topic in wanted for member in words.MEMBERS.get(topic, ())}
    return len(subject - about - words.LIGHT)


def _distinct(facts: Sequence[Fact]) -> list[Fact]:
    """Without those that a later one replaces: the same "my ... is" again, or the same text."""
    latest: dict[str, Fact] = {}
    for fact in facts:
        found = _SUBJECT.search(fact.plain)
        key = found[0] if found else fact.plain
        latest.pop(key, None)
        latest[key] = fact
    return list(latest.values())


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _short(text: str) -> str:
    text = text.strip().replace('"', "'")
    return text if len(text) <= _QUOTE else f"{text[: _QUOTE - 3].rsplit(' ', 1)[0]}..."
