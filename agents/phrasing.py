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
        re.compile(r"\b(?:address|location|located)\b|\bwhere (?:are|r) (?:you|u)\b"),
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
            r"|\bfind you\b|\b(?:your|the) (?:location|address)\b|\baddress\?|^address\b|^location\b"
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
        re.compile(
            r"\b(?:when|what time|how late|how early)\b.*\b(?:open|close|shut)\b|"
            r"\bare you (?:guys )?(?:still )?(?:open|closed)\b"
        ),
        ("What are your opening hours?",),
        False,
    ),
)
_DOES = re.compile(
    r"\b(?:(?:can|could|do|may|should|will|would) (?:i|we|you)|(?:want|need|like|have|possible|trying) to) ([a-z]+)"
)


def expected(question: str) -> list[tuple[re.Pattern[str], float]]:
    """How sentences look that hold what is asked for, and what that adds to their rank."""
    asked = words.plain(question)
    return [(looks, bonus) for asks, looks, bonus in _EXPECTED if asks.search(asked)]


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
