"""How people ask, and how what they ask for looks in a text: tables that help meaning along.

Sentence vectors know that "How late are you open?" is about opening hours. They do not know that a street's name
answers "Where are you?", nor that in a bicycle shop "return" says more about a question than "bike".
"""

from __future__ import annotations

import re

from agents import words

# What kind of thing a question asks for, how it looks in a sentence, and what that adds to the sentence's rank.
_EXPECTED = (
    (
        re.compile(r"(?<!mail )\b(?:address|location|located)\b|\bwhere (?:are|r) (?:you|u)\b"),
        re.compile(
            r"\b(?:street|st|avenue|ave|road|rd|lane|square|boulevard|rua|rue|calle|via|plaza|platz|floor|highway|"
            r"drive)\b|straße|strasse",
            re.IGNORECASE,
        ),
        0.35,
    ),
    (re.compile(r"\b(?:phone|call|telephone|your number|reach|contact)\b"), re.compile(r"\d[\d ().-]{5,}\d"), 0.15),
    (re.compile(r"\b(?:e-?mail|write to|contact)\b"), re.compile(r"\S@\S"), 0.15),
    (
        re.compile(r"\bhow much\b|\b(?:price|prices|cost|costs|fee|fees|charge)\b"),
        re.compile(r"\d.*\b(?:dollars?|euros?|eur|usd|gbp|pounds?|cents?)\b|[$€£]|\bfree\b", re.IGNORECASE),
        0.1,
    ),
    (
        re.compile(r"\b(?:when|what time|hours|how late|until)\b"),
        re.compile(r"\b\d{1,2}(?::\d\d| ?[ap]m| to \d)", re.IGNORECASE),
        0.08,
    ),
    (
        re.compile(r"\bhow long\b"),
        re.compile(r"\b(?:minutes?|hours?|days?|weeks?|months?|years?)\b", re.IGNORECASE),
        0.08,
    ),
)

# How people ask for what a knowledge base calls by another name; always, or only when nothing else is near.
_OTHERWISE = (
    (
        re.compile(
            r"\bwhere (?:are|r) (?:you|u|ya)\b|\bhow (?:do|can) i (?:get|come) (?:to you|there)\b|\bwhere (?:is|"
            r"are) (?:the|your) "
            r"(?:shop|store|office|practice|restaurant|place|location|clinic|studio|salon|cafe|hotel|gym|school)\b"
            r"|\bfind you\b|\b(?:your|the) (?:location|address)\b|(?<!mail )\baddress\?|^address\b|^location\b"
        ),
        ("What is your address?", "We are at this street, it is our address."),
        True,
    ),
    (
        re.compile(
            r"\b(?:how (?:can|do) i (?:contact|reach|call)|can i (?:call|email|phone)|your (?:phone|number|email)|"
            r"phone number|contact details)\b"
        ),
        ("What is your phone number and email?",),
        True,
    ),
    (
        # A day that only a calendar knows: the regular hours are the answer, not some holiday's.
        re.compile(r"\b(?:open|close|closed|shut)\b.*\b(?:today|tonight|tomorrow|now|usually|normally)\b"),
        ("What are your regular opening hours?",),
        True,
    ),
    (
        re.compile(
            r"\b(?:when|what time|how late|how early)\b.*\b(?:open|close|shut)\b|"
            r"\bare you (?:guys )?(?:still )?(?:open|closed)\b"
        ),
        ("What are your opening hours?",),
        False,
    ),
)
_DOES = re.compile(
    r"\b(?:(?:can|could|do|may|should|will|would) (?:i|we|you)|(?:want|need|like|have|possible|trying) to)"
    r"(?: still| also| just| please| even| really| maybe)? ([a-z]+)"
)

# What a question wants to be told, and how every answer to it looks: how heavy something is, is not told by its price.
_MEASURED = (
    (re.compile(r"\bhow heavy\b|\bweigh"), re.compile(r"\d\s?(?:kg|kilos?|g|grams?|lbs?|pounds?|ounces?|oz)\b")),
    (re.compile(r"\bhow (?:tall|high|wide|big|far|deep)\b"), re.compile(r"\d")),
    (re.compile(r"\bhow fast\b"), re.compile(r"\d\s?(?:km|kilomet|mph|miles)")),
)

# "Do you sell scooters?" is answered by what is said of scooters, and by nothing else.
_DEALS_IN = re.compile(
    r"\b(?:do|can|could|would|will) you(?: guys| also| still| maybe| even)? "
    r"(?:sell|fix|repair|ship|rent|have|stock|carry|offer|take|accept|serve|make|write|service|buy|deliver|do) "
    r"(?:any |some |an? |the |me an? )?(?P<thing>[^?.,;!]+)"
)
_AFTER_IT = re.compile(
    r" (?:for|on|in|at|to|with|of|from|by|that|which|about|and|or|while|if|when|as|without)\b.*"
    r"| (?:too|here|there|today|now|please)$"
)


def expected(question: str) -> list[tuple[re.Pattern[str], float]]:
    """How sentences look that hold what is asked for, and what that adds to their rank."""
    asked = words.plain(question)
    return [(looks, bonus) for asks, looks, bonus in _EXPECTED if asks.search(asked)]


def measured(question: str) -> re.Pattern[str] | None:
    """How a sentence must look that tells the measure that is asked for; None where none is."""
    asked = words.plain(question)
    return next((looks for asks, looks in _MEASURED if asks.search(asked)), None)


def thing(question: str) -> str:
    """What "do you sell ...?" asks for, by its last noun: "battery" of "Do you sell bike batteries for e-bikes?"."""
    found = _DEALS_IN.search(words.plain(question).replace("-", " "))
    named = _AFTER_IT.sub("", found["thing"].strip()).split() if found else []
    return next(iter(words.topics(named[-1])), "") if named else ""


def verb(question: str) -> str:
    """What the person wants to do: "return" of "Can I return my helmet?"."""
    found = _DOES.search(words.plain(question))
    return next(iter(words.topics(found[1])), "") if found else ""


def rephrased(question: str, *, unsure: bool) -> list[str]:
    """The question in the usual words. `unsure` when nothing near was found for it as it is."""
    asked = words.plain(question)
    return [
        instead
        for pattern, queries, always in _OTHERWISE
        if (always or unsure) and pattern.search(asked)
        for instead in queries
    ]
