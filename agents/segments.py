"""A turn cut into what wants an answer of its own: questions, statements, requests and smalltalk."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

from agents.words import plain

# More questions than this in one turn are not answered one by one: the reply would be longer than a text message.
MAX_SEGMENTS = 6


# A message of any provider holds at most 1,600 characters; past this many nobody asks anything, and patterns get slow.
MAX_CHARS = 4_000


class Kind(Enum):
    """What a segment wants."""

    QUESTION = "question"
    REQUEST = "request"  # "I want to return a bike", "opening hours please": a question in other words
    STATEMENT = "statement"  # something the person tells us
    NOTHING = "nothing"  # no words


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """`text` as written, `whole` in lower case without contractions, `plain` without its greeting, too."""

    text: str
    whole: str
    plain: str
    kind: Kind


_SENTENCE_END = re.compile(r"(?<=[?!])\s+|(?<=[^\d\s.][.])\s+(?=[A-Z\"'(]|i\b)|(?<=\d\.)\s+(?=[A-Z])")
# An abbreviation's full stop ends no sentence.
_ABBREVIATED = re.compile(r"(?:\b(?:mr|mrs|ms|dr|st|no|nr|ave|e\.g|i\.e|etc|vs|approx)|\b[A-Z])\.$", re.IGNORECASE)

_ASKING = (
    r"(?:what|when|where|who|whom|whose|which|why|how|do|does|did|is|are|was|were|can|could|would|will|should|shall"
    r"|may|have|has|am|any(?:one|body|thing)?|wheres|whats|whos|hows|whens)"
)
_JOINED = re.compile(rf"\s*[,;]?\s+(?:and|also|plus)\s+(?=(?:also\s+)?{_ASKING}\b)", re.IGNORECASE)
_TOLD_FIRST = re.compile(
    r"(?:i|my|we|our)\b[^?,;]+(?=[,;] (?:so )?(?:does|do|is|are|can|could|will|would|should|may)\b)", re.IGNORECASE
)
# It says in other words what was just asked.
_I_MEAN = re.compile(
    r"(?:(?:my|our|the) [\w' ]+,? i mean|(?:i mean|that is),? (?:my|our|the) [\w' ]+)\W*$", re.IGNORECASE
)
_ASKS = re.compile(
    rf"^(?:(?:and|so|but|also|ok|okay|well|please|um+|sorry|btw|by the way|just wondering|quick question)[,:]?\s+)*"
    rf"(?:{_ASKING}\b|tell me|remind me|do you|(?:i )?(?:need|want|would like|wanna|wonder|was wondering|am wondering)"
    rf"(?: to)? (?:know|ask|hear|find out|see if|if|how|what|when|where|whether)\b|let me know|not sure (?:if|what|"
    rf"when|how)"
    rf"|i forgot (?:my|what|which|when|where|who|the|how)|what about|how about|can't remember|i can't remember"
    rf"|i do(?:n't| not) (?:know|remember)|you know)"
)
_INDIRECT = re.compile(
    r"\b(?:do you know|any idea|remember|tell me|remind me)\b.*\b(?:my|what|where|when|which|who|how)\b"
)
_REQUESTS = re.compile(
    r"\b(?:i|we) (?:really |just |also )?(?:want|need|would like|would love|wish|hope|plan|intend|have|am trying|"
    r"am looking|"
    r"are looking|am hoping|am thinking|am interested|tried|cannot|can't|could not|couldn't|cant) "
    r"(?:to (?!know)|in\b|for\b|of\b|a (?:refund|repair|quote|new|replacement|human|person|copy|receipt|test)"
    r"|an (?:appointment|invoice|exchange|agent|operator)|help|some|someone|find|get|log|open|my money)"
    r"|\b(?:looking for|interested in|i want my|i need my|i need help|i need an?\b|i want an?\b|i would like an?\b)|"
    r"^(?:please )?(?:cancel|"
    r"refund|return|book|change|send|ship|deliver|repair|fix|reserve|order|show|give|list|explain|describe|help|"
    r"connect|"
    r"call me|stop|forget|delete)\b"
)
_TELLS = re.compile(
    r"\b(?:my|our|mine)\b.*\b(?:is|are|was|were|has|have|called|named|=|will be|likes?|loves?|died|moved|lives?|turned|"
    r"changed|starts?|works?)\b|^(?:i|we)\b|\bmy name\b|\bcall me\b|\b(?:i|we) (?:am|have|live|work|like|love|prefer|"
    r"hate|"
    r"moved|bought|ordered|own|drive|was|were|got|just|used|also|now|no longer|don't|do not|only|always|never|usually|"
    r"can't|cannot|will|would|paid|sold|started|changed|turn|turned|study|speak|play|eat|wear|ride)\b"
    r"|^(?:no,? |sorry,? |oh,? |wait,? |correction[:,]? |actually,? )*(?:it is|that is|it was|make (?:it|that)|"
    r"this is|actually|"
    r"correction|scratch that|i mean|my|mine|our|the (?:order|number|date|address|appointment|code|"
    r"reference) (?:number )?is)\b"
    r"|^(?:please )?(?:remember|note|fyi|for your information|for the record|don't forget|keep in mind|"
    r"just so you know)\b"
    r"|^(?:my|our) |^the (?:\w+ ){1,3}(?:is|are|was|will be)\b.*\d|\b(?:reference|order|invoice|customer|account|"
    r"booking|ticket)(?: number| no\.?| id)?:? #?\w*\d"
)
_NOTE = re.compile(
    r"^(?:please )?(?:remember|note|(?:do not|don't) forget|keep in mind)\b(?! (?:what|when|where|who|which|"
    r"how)\b)(?=.*\b(?:is|are|"
    r"was|i|we|to)\b)"
)
# "my order number please"
_FRAGMENT = re.compile(r"^(?:my|our) (?:\w+ ){1,3}(?:please|again)\W*$")
_REFERENCE = re.compile(
    r"^(?:the |my )?(?:reference|order|invoice|customer|account|booking|ticket|serial|phone|tracking)"
    r"(?: number| no\.?| nr\.?| id| code)?(?: is)?[: ]+#?[\w-]*\d[\w-]*\W*$"
)
_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|hiya|yo|good (?:morning|afternoon|evening|day)|greetings|dear \w+|ok|okay|great|thanks|"
    r"thank you|thx|cool|perfect|yes|yeah|no|so|well|please|excuse me|sorry)(?: there| again| team| everyone| all|"
    r" guys|"
    r" so much| a lot| very much)?[\s,.!:;-]+)+(?=\S)"
)


def split(text: str) -> list[Segment]:
    """The segments of a turn, in order.

    The newest are kept when there are too many. The end of a very long text is not read.
    """
    segments = [_segment(piece) for line in text[:MAX_CHARS].split("\n") for piece in _pieces(line)]
    worth = [segment for segment in segments if segment.kind is not Kind.NOTHING]
    return (worth or segments)[-MAX_SEGMENTS:]


def told_first(question: Segment) -> Segment | None:
    """What somebody tells before they ask: "I weigh 80 kilos, does the rack hold that?"."""
    found = _TOLD_FIRST.match(question.text)
    return replace(_segment(found[0]), kind=Kind.STATEMENT) if found else None


def put_again(question: Segment) -> Segment | None:
    """The second part of a question that is put twice: "Who takes my post, who is my neighbour?", "My girl? My
    daughter, I mean."."""
    parts = re.split(r"[,?]\s+(?!i mean\b)", question.text, flags=re.IGNORECASE)
    return replace(_segment(parts[-1]), kind=Kind.QUESTION) if len(parts) > 1 and parts[-1].strip() else None


def _pieces(line: str) -> list[str]:
    pieces: list[str] = []
    for sentence in _SENTENCE_END.split(line.strip()):
        if pieces and (_ABBREVIATED.search(pieces[-1]) or (pieces[-1].endswith("?") and _I_MEAN.match(sentence))):
            pieces[-1] = f"{pieces[-1]} {sentence}"
        else:
            pieces.extend(_JOINED.split(sentence))
    return [piece.strip() for piece in pieces if piece.strip()]


def _segment(text: str) -> Segment:
    bare = plain(text).strip()
    rest = _GREETING.sub("", bare)
    if not re.search(r"\w", bare):
        return Segment(text=text, whole="", plain="", kind=Kind.NOTHING)
    return Segment(text=text, whole=bare, plain=rest, kind=_kind(rest))


def _kind(text: str) -> Kind:
    if _NOTE.match(text) and not text.rstrip().endswith("?"):
        return Kind.STATEMENT
    if _FRAGMENT.match(text):
        return Kind.QUESTION
    if (
        text.rstrip(" .!)").endswith("?")
        or re.search(r"\?.*\bi mean\b|\?.*\bthat is\b", text)
        or _ASKS.match(text)
        or _INDIRECT.search(text)
    ):
        return Kind.QUESTION
    if _REFERENCE.match(text):
        return Kind.STATEMENT
    if _REQUESTS.search(text) and not re.match(r"(?:please )?(?:remember|note)\b", text):
        return Kind.REQUEST
    return Kind.STATEMENT if _TELLS.search(text) else Kind.REQUEST
