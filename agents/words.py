"""Words reduced to what they are about, so that "What's my dog called?" meets "My dog's name is Rex".

English only, and small on purpose: enough to match a person's questions with the person's own statements. Everything
beyond shared words and the table below is the embedder's work.
"""

from __future__ import annotations

import difflib
import re

# Of difflib's ratio: "ordr" and "order" reach 0.89, "brother" and "mother" 0.77.
_SLIP = 0.85

# Letters of a word that another is made of, and what is added.
_ROOT, _ENDING = 5, 3

_TOKEN = re.compile(r"[^\W_]+(?:[.,@+:/-][^\W_]+)*")

# Phrases that say one thing in several words.
_PHRASES = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"\b(?:i am|i come|am i|do i come) from\b|\bwhere was i born\b", " origin "),
        (r"\b(?:phone|mobile|cell) number\b", " phone "),
        (r"\bat (?:home|work)\b", " "),  # neither an address nor a job
        (r"\b(?:reach|call|text|phone) me (?:at|on|under)\b", " phone number "),
        (r"\bcall(?:s|ed)? me\b", " my name "),
        (r"\b(?:i|we) (?:have |just )?called (?=them|you|him|her|the|your|my)", " phoned "),
        (
            r"\bborn in (?!\d|january|february|march|april|may|june|july|august|september|october|november|december)",
            " origin ",
        ),
        (r"\bi am \d{1,3}(?=\W*(?:$|[.,!]| years| and))", " age "),
        (r"\bhow old\b|\byears? old\b|\byr old\b", " age "),
        (r"\bhow tall\b", " height "),
        (r"\bhow heavy\b|\bhow much do i weigh\b", " weight "),
        (r"\b(?:last|family) name\b", " surname "),
        (r"\bfor a living\b|\bdo i do for work\b", " job "),
        (r"\bwhere do i (?:stay|sleep)\b", " home "),
        (r"\b(?:zip|postal|post) ?code\b", " postcode "),
        (r"\be-?mail(?: address)?\b", " email "),
        (r"\bcan(?:no|')?t (?:i )?(?:eat|have|stand|drink)\b", " allergy "),
        (r"\bget(?:ting)? married\b", " wedding "),
        (r"\bmarried to\b", " partner "),
        (
            r"\b(?:live|lives|living|moved|moving) (?:now )?(?:at|to|on|in) (?=(?:number |no\.? ?)?\d)",
            " residence address ",
        ),
        (r"\b(?:ride|cycle|drive|walk|travel|way|get) to work\b", " commute "),
        (r"\b(?:to|from) work\b", " "),
        (r"\bmov(?:ed|ing) (?=(?:it|that|this|them|us|my|our|the|your)\b)", " "),  # nobody's home
        (
            r"\bwhen (?:do|should|must|shall|am) i (?:have to |need to |supposed to )?(?:come|show up|turn up)\b",
            " appointment ",
        ),
        (r"\b(?:like|love|prefer) to (?=\w)", " "),  # a way of doing, not a taste
    )
)

_STOP = frozenset(
    re.findall(
        r"\S+",
        """
        a about actually again all also am an and any anything are as at be because been before both but by can cant
        confirm correct could currently d did didn do does doesn doing don done dont down each earlier ever exactly
        for from get give given go going got had has have having he hello her here hey hi him his how i if im in
        into is isn it its ive just know let list ll lot many me mention mentioned mine more most much must my
        myself need no not now of off ok okay on once one only or our out over own please quite re really recall
        remember remembered remind repeat right s said same say saying she should so some sorry still sure t tell
        telling than thank thanks that the their them then there these they this those though time to today told too
        under until up us ve very want wanted wants was we well were what whats when where wheres which while who
        whom whos whose why will with won wont would write wrote yes yet you your yours
        """,
    )
)

_CONCEPTS = {
    word: concept
    for concept, words in {
        "name": "name named names called nickname",
        "residence": "live lives living lived moved move moving home residence reside based",
        "address": "address addresses",
        "surname": "surname",
        "town": "town towns city cities village",
        "commute": "commute commuting",
        "prepare": "prepare preparing prepared training practising practicing",
        "origin": "origin hometown",
        "age": "age aged",
        "birthday": "birthday bday birthdate born",
        "job": "job profession work works working occupation career employed employer",
        "like": "favorite favourite fave like likes love loves loved prefer prefers preferred enjoy enjoys preference",
        "allergy": "allergic allergy allergies intolerant intolerance allergen",
        "phone": "phone mobile cell cellphone telephone",
        "email": "email mail emails",
        "color": "color colour colors colours",
        "bike": "bike bicycle bikes bicycles",
        "tyre": "tyre tyres tire tires",
        "child": "child children kid kids",
        "pet": "pet pets animal animals",
        "partner": "partner spouse",
        "sibling": "sibling siblings",
        "buy": "buy bought purchase purchased purchases buying",
        "order": "order ordered orders",
        "appointment": "appointment appointments appt booking booked reservation reserved meeting",
        "budget": "budget spend",
        "insurance": "insurance insured insures insurer",
        "hobby": "hobby hobbies pastime",
        "diet": "diet",
        "height": "height tall",
        "weight": "weight weigh weighs",
        "problem": "problem issue trouble",
        "travel": "travel trip travelling traveling flight fly flying holiday vacation",
        "mother": "mother mom mum mommy",
        "father": "father dad daddy",
    }.items()
    for word in words.split()
}

_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"
_MONTHS = "january february march april may june july august september october november december"

_SHORT_FOR = {
    "u": "you",
    "ur": "your",
    "r": "are",
    "pls": "please",
    "plz": "please",
    "wht": "what",
    "wat": "what",
    "wen": "when",
    "whr": "where",
    "abt": "about",
    "tmrw": "tomorrow",
    "num": "number",
    "adress": "address",
    "im": "i am",
    "ive": "i have",
}
_SHORTHAND = re.compile(rf"\b(?:{'|'.join(_SHORT_FOR)})\b(?!')")

_IRREGULAR = {
    past: stem
    for stem, pasts in {
        "pay": "paid",
        "break": "broke broken",
        "tak": "took taken",
        "rid": "rode ridden",
        "driv": "drove driven",
        "mak": "made",
        "sell": "sold",
        "eat": "ate eaten",
        "wear": "wore worn",
        "speak": "spoke spoken",
        "choos": "chose chosen",
        "send": "sent",
        "los": "lost",
        "meet": "met",
        "leav": "left",
        "sit": "sat seat seats",
        "sleep": "slept",
        "hurt": "hurts",
        "run": "ran",
        "see": "saw seen",
        "lend": "lent",
        "pick": "picked",
    }.items()
    for past in pasts.split()
}

# A question about the key is met by a statement about any of the words.
MEMBERS: dict[str, frozenset[str]] = {
    key: frozenset(words.split())
    for key, words in {
        "town": "residence origin",
        "company": "job",
        "bike": "ride riding rode",
        "bird": "parrot budgie canary parakeet chicken",
        "pet": "dog cat puppy kitten hamster parrot rabbit bird fish horse turtle tortoise guinea rat snake lizard "
        "bunny",
        "child": "son daughter baby boy girl toddler twin",
        "partner": "wife husband girlfriend boyfriend fiance fiancee",
        "sibling": "brother sister",
        "family": "wife husband son daughter child mother father sibling brother sister partner",
        "color": "red blue green yellow black white grey gray orange purple pink brown silver gold beige turquoise "
        "navy",
        "diet": "vegetarian vegan pescatarian halal kosher gluten lactose keto allergy meat",
        "hobby": "like play hiking running swimming reading painting cycling climbing chess guitar piano football",
        "food": "pizza pasta sushi curry burger salad soup steak allergy vegetarian vegan",
        "job": "teacher nurse doctor engineer driver student lawyer chef plumber electrician baker developer designer",
        "car": "drive",
        "travel": "go",
        "date": _WEEKDAYS + " " + _MONTHS + " tomorrow tonight noon",
        "size": "s m l xl xxl xs small medium large",
    }.items()
}

# Words that a question may hold and a statement leave out: "What is my dog called?", "My dog is Rex."
LIGHT = frozenset(
    {
        "name",
        "type",
        "kind",
        "sort",
        "brand",
        "model",
        "breed",
        "people",
        "person",
        "thing",
        "full",
        "first",
        "new",
        "current",
        "exact",
        "last",
        "happen",
        "call",
        "eat",
        "date",
        "day",
        "team",
        "plac",
        "company",
    }
)

_NUMBER_WORDS = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|hundred)\b"
)
_TIME = re.compile(
    rf"\d|\b(?:{_WEEKDAYS.replace(' ', '|')}|{_MONTHS.replace(' ', '|')}"
    r"|mon|tues?|wed|thu(?:rs)?|fri|sat|sun|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
    r"|tomorrow|today|tonight|yesterday|noon|midnight|morning|afternoon|evening|week|month|weekend|year|christmas|"
    r"easter)\b"
)


def plain(text: str) -> str:
    """Lower case, straight quotes, no contractions that hide a word."""
    text = text.lower().replace("’", "'").replace("‘", "'")
    text = re.sub(
        r"\b(what|where|who|when|how|that|it|there|name)'s\b|\b(what|where|who|when|how)s\b", r"\1\2 is", text
    )
    text = re.sub(r"\bi'?m\b", "i am", text)
    text = re.sub(r"\b(i|you|we|they)'ve\b", r"\1 have", text)
    text = re.sub(r"\bi'd\b", "i would", text)
    text = re.sub(r"\b(we|you|they)'re\b", r"\1 are", text)
    text = _SHORTHAND.sub(lambda found: _SHORT_FOR[found[0]], text)
    return re.sub(r"'s\b", "", text)


def topics(text: str) -> set[str]:
    """What a text is about: stems and concepts, without stop words."""
    text = plain(text)
    for pattern, meaning in _PHRASES:
        text = pattern.sub(meaning, text)
    found = set()
    for token in _TOKEN.findall(text):
        if token in _STOP:
            continue
        found.add(_CONCEPTS.get(token) or _IRREGULAR.get(token) or _CONCEPTS.get(stem(token)) or stem(token))
    return found


def stem(word: str) -> str:
    """A crude common form: cats, cat; parked, parking, park; allergies, allergy."""
    for suffix, instead in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("ing", ""), ("ed", "")):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:  # noqa: PLR2004 - "sing" and "bed" stay words
            word = word.removesuffix(suffix) + instead
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":  # noqa: PLR2004 - "stopp", "shipp"
                word = word[:-1]
            return word.removesuffix("e")
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:  # noqa: PLR2004 - "bus", "gas"
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word  # noqa: PLR2004 - "die", "toe"


# What answers a question about the key where nothing better does: a street says where somebody lives, and a town is
# some of their address, but no street says which town it is in.
INSTEAD = {"residence": "address", "address": "residence"}

# "1.78 m" is no size M.
_UNIT = re.compile(r"(?<=\d) ?[a-z]{1,2}\b")


def covers(wanted: str, present: set[str], text: str) -> bool:
    """Whether a statement, given as its topics and its plain text, says something about a topic that is wanted."""
    members = MEMBERS.get(wanted, frozenset())
    if wanted in present or not members.isdisjoint(present | set(re.findall(r"[^\W_]+", _UNIT.sub("", text)))):
        return True
    if wanted == "email":
        return "@" in text
    if any(_is_of_one_root(wanted, topic) for topic in present):
        return True
    # A slip of the finger, unless both are words that must not be taken for each other.
    return not is_definite(wanted) and bool(difflib.get_close_matches(wanted, present, n=1, cutoff=_SLIP))


def _is_of_one_root(one: str, other: str) -> bool:
    """ "arriv" and "arrival", "deliver" and "delivery"; however they are used."""
    short, long = sorted((one, other), key=len)
    return len(short) >= _ROOT and long.startswith(short) and len(long) - len(short) <= _ENDING


# Verbs that a paraphrase may leave out ("I adore tea", "I got a Canyon last year").
_LOOSE = frozenset({"like", "buy", "travel", "problem", "prepare", "ride", "riding", "rode"})
_DEFINITE = (frozenset(_CONCEPTS.values()) | frozenset(MEMBERS) | frozenset().union(*MEMBERS.values())) - _LOOSE


def is_definite(topic: str) -> bool:
    """Whether a statement has to name the topic to be about it: a dog is no cat, a phone number no order number."""
    return topic in _DEFINITE


def has_number(text: str) -> bool:
    return any(c.isdigit() for c in text) or bool(_NUMBER_WORDS.search(text.lower()))


def has_time(text: str) -> bool:
    return bool(_TIME.search(text.lower()))
