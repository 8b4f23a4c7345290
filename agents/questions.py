"""Whether a question is about the person, and what kind of thing it asks for.

Only the person's own words can answer such a question; every other one is the knowledge base's.
"""

from __future__ import annotations

import re

from agents import words
from agents.segments import Kind, Segment

_STATIVE = (
    r"(?:live|work|like|love|prefer|hate|own|drive|ride|have(?! to)|study|speak|play|eat|drink|enjoy|weigh|wear|"
    r"want to (?:buy|"
    r"learn|eat|be)|come from|collect|read|do for|take|pay|sit|stay|need to (?:take|avoid)|use)"
)
_STATUS = re.compile(
    r"\b(?:is|are|was|has|have|did|will) (?:my|our) [\w ]*?\b(?:ready|done|finished|overdue|due|shipped|sent|"
    r"on its way|on the way|confirmed|"
    r"delivered|fixed|repaired|paid|here|arrive|arrived|coming|come|lost|approved|cancelled|canceled|processed|"
    r"received|still)\b"
    r"|\bwhere (?:is|are) (?:my|our) (?:\w+ )?(?:order|package|parcel|delivery|refund|money|bike|item|shipment|stuff)\b"
    r"|\bwhen (?:will|does|is) (?:my|our) (?:order|package|parcel|delivery|refund|item|shipment) "
)
_PERSONAL = tuple(
    re.compile(pattern)
    for pattern in (
        (
            r"\b(?:what|which|who|whom|when|where|how (?:old|many|much|tall|big|long|heavy)) "
            r"(?:is|was|are|were|did|does) "
            r"(?:again |really )?(?:my|mine|our)\b(?! (?:options?|rights?|chances?|choices|next step))"
        ),
        (
            r"^(?:and )?(?:what|which|whose|how many|how much)(?: \w+){1,3} (?:is|was|are|were|does|did|do) (?:my|mine|"
            r"our)\b"
        ),
        (
            rf"\b(?:what|which|who|when|where|how|whose)(?: \w+){{0,3}} (?:do|did) (?:i|we) (?:usually |normally |"
            rf"always |just "
            rf"|currently |really |already |like to |love to )?(?:{_STATIVE}|again)\b"
        ),
        (
            r"\b(?:what|which|who|when|where|how|whose)(?: \w+){0,3} did (?:i|we) (?:just |already |originally |"
            r"first )?\w+\b"
        ),
        (
            r"\b(?:what|who|where|how (?:old|tall|heavy)) (?:am|was) i\b(?! (?:supposed|allowed|able|entitled|paying|"
            r"charged|getting))"
        ),
        (
            r"\b(?:did|have|had) i (?:ever |already |not )*(?:tell|told|say|said|mention|mentioned|give|given|gave|"
            r"share|shared)\b"
        ),
        r"\bi (?:have )?(?:already )?(?:told|gave|mentioned|said)\b.*\?",
        r"\b(?:remember|forget|forgot|remind|recall)\b.*\b(?:my|i|me|mine|our|we)\b",
        (
            r"\b(?:do|does) (?:you|anyone|your \w+) (?:still )?(?:know|have|see|got)\b.*\b(?:my|who i|where i|what i|"
            r"when i|about me)\b"
        ),
        r"\b(?:tell|show|give|send|repeat)(?: to)? me (?:again )?(?:what |which |when |where )?(?:my|is my|was my)\b",
        r"\bknow(?:n)? about me\b|\babout myself\b",
        r"^(?:and )?(?:my|our) [\w' -]+(?:\?|\b(?:please|again))\W*$",
        r"\bcall me\W*$",
        (
            r"\b(?:what|which|tell|know|give)\b.* (?:name|names|number|colou?r|age|size|code|date|brand|breed|day|time"
            r") of (?:my|our)\b"
        ),
        r"\bhow many (?:\w+ )?(?:are|were) we\b",
        r"\b(?:what|which|who)(?: \w+)? (?:do you have|have you got|is \w+) (?:for|of|about) me\b",
        r"\b(?:which|what|who)(?: \w+)? (?:opens|insures|takes|owns|rides) (?:my|me|our)\b",
        r"\bhow far do (?:i|we)\b",
        _STATUS.pattern,
        r"\b(?:do|did) i (?:have (?:a|an|any)|like|love|own|live|work|prefer|drive|speak|eat|play|hate)\b(?! to\b)",
        (
            r"^(?:and )?am i (?:a |an |still )?(?!allowed|able|entitled|supposed|eligible|too|talking|speaking|"
            r"in the right|late)\w+"
        ),
        r"\b(?:what|which) (?:\w+ ){1,2}(?:am i|are we) (?:in|on|at|\w+ing)\b",
        r"\bwhen (?:am i|are we) \w+ing\b",
        r"\b(?:repeat|confirm|recall) (?:my|our)\b",
        r"\bcan(?:no|')t i (?:eat|drink|have)\b",
        r"\b(?:is|was|are) my (?:\w+ )?(?:name|age|birthday|address|email|number|favou?rite|job)\b",
    )
)
_ABOUT_SERVICE = re.compile(
    r"\b(?:can|could|may|should|must|shall|will|would|might) (?:i|we|my)\b|\bdo (?:i|we) (?:need|have to|pay|get|"
    r"owe)\b|"
    r"\b(?:what|how|where|when|who|which)(?: \w+)? (?:do|can|should|would|must|will) (?:i|we) (?:do|get|find|send|"
    r"return|pay|book|"
    r"contact|call|reach|cancel|change|track|park|bring|pick|collect|drop|make|order|buy|sign|apply|"
    r"need)\b(?! for (?:work|a))|"
    r"\b(?:what|happens) if (?:i|my|we)\b|\bwhat happens\b"
)
_RECALL_CUE = re.compile(
    r"\b(?:remember|remind|forgot)\b|\bdid i (?:\w+ )?(?:say|tell|mention|give|order|buy|choose|pick|ask)\b|"
    r"\bi told you\b"
)
_AGAIN = re.compile(
    r"\b(?:what|when|where|which|who|how \w+) (?:was|were)\b|\bagain\b"
    r"|\b(?:what|when|where|which|who|how (?:many|much|long|old))\b.*\b(?:do|will|did|am|was) (?:i|we)\b"
)
_SELF = re.compile(r"\b(?:i|my|me|mine|we|our|us)\b")
_FRAGMENT = re.compile(r"(?:the )?[^\W_]+(?: [^\W_]+){0,2} ?\?")
_ALL = re.compile(
    r"\b(?:what|everything|anything)\b.*\b(?:know|remember|told|tell|said|noted|have)\b.*\b(?:about me|about myself|"
    r"me)\b"
)
_LAST = re.compile(
    r"what (?:did|was) i (?:just |last )?(?:say|said|ask|asked|write|wrote|tell you|saying|talking about)(?: last|"
    r" before| you| to you| earlier| again)*\W*$"
)
_OWN_NAME = re.compile(
    r"\bmy (?:(?:full|first|real|own|actual) )?name\b|\bwho am i\b|\bwho i am\b|\bcall me\W*$|\bwhat am i called\b|"
    r"\bi am called\b|\bam i called\b"
)
_SEVERAL_THINGS = re.compile(
    r"\b(?:pets|kids|children|allerg\w+|hobbies|siblings|brothers|sisters|sons|daughters|dogs|cats|bikes|orders|"
    r"appointments|"
    r"names|numbers|things|preferences|favou?rites|cars|languages)\b"
)


def is_personal(segment: Segment) -> bool:
    """Whether a question is about the person."""
    if segment.kind is Kind.STATEMENT:
        return False
    if _RECALL_CUE.search(segment.plain):
        return True
    if _ABOUT_SERVICE.search(segment.plain) and not _STATUS.search(segment.plain):
        return False
    return any(pattern.search(segment.plain) for pattern in _PERSONAL)


def asks_status(segment: Segment) -> bool:
    """Whether it asks how something of the person's stands, which only a colleague can have told."""
    return bool(_STATUS.search(segment.plain))


def asks_again(segment: Segment) -> bool:
    """Whether it may ask for something said before without saying so: "What was the number?", "When do I arrive?".

    Then the person's own words go first, if they cover the whole question.
    """
    return not re.search(r"\byour?\b", segment.plain) and bool(_AGAIN.search(segment.plain))


def speaks_of_self(segment: Segment) -> bool:
    """ "What room am I in?", which says nothing of the business."""
    return bool(_SELF.search(segment.plain)) and not _ABOUT_SERVICE.search(segment.plain)


def is_fragment(segment: Segment) -> bool:
    """Whether it only names a thing: "order number?"."""
    return bool(_FRAGMENT.fullmatch(segment.plain))


def asks_last(segment: Segment) -> bool:
    """ "What did I just say?" """
    return bool(_LAST.search(segment.plain))


def asks_all(segment: Segment) -> bool:
    """ "What do you know about me?" """
    return bool(_ALL.search(segment.plain)) and not words.topics(segment.plain) - {"name"}


def asks_own_name(segment: Segment) -> bool:
    """ "What's my name?", but not "What's my dog's name?" """
    return bool(_OWN_NAME.search(segment.plain)) and not words.topics(segment.plain) - {"name"}


def asks_several(segment: Segment) -> bool:
    """Whether more than one fact may answer: "my pets"."""
    return bool(_SEVERAL_THINGS.search(segment.plain))
