"""What is kept of what a person says about themselves, and what replaces what."""

from __future__ import annotations

import pytest

from agents.learning import Heard, RuleExtractor

SAME_KEY = [
    ("My address is 12 Mill Road", "Please note, my new address is 7 Chapel Street."),
    ("Here is my address for the parcel: 12 Mill Road", "The courier should come to 6 Low Moor, that is my address."),
    ("I weigh 82 kilos, does the rack hold that?", "After the winter my weight is 79 kilos."),
    ("My booking reference is HX-7741", "They made a new one, my booking reference is QR-2093."),
    ("I live in Porto, so I will take the train", "We have moved: I live in Faro now."),
    ("I live in Porto", "I just moved to Faro"),
    ("I work as a nurse", "I have a new job, I work as a pilot now."),
    ("My favourite colour is green", "my favorite color is now orange"),
    ("My order number is 4711-B.", "order number 9077-A, thanks"),
    ("My budget is 900 dollars", "I got a bonus, my budget has gone up to 1,200 dollars."),
    ("You can email me at ana@example.org", "My email is kit@example.net now"),
    ("My name is Ana", "Please call me Maria"),
    ("I weigh 82 kilos", "My weight is 79 kilos"),
    ("I have insurance with Medis.", "I am insured with Velosafe"),
    ("My appointment is on Tuesday at 3 pm.", "Your colleague moved it, my appointment is on Friday at 10 am now."),
]
NOT_THE_SAME = [
    ("My order number is 4711", "My invoice number is 4711"),
    ("My frame size is 54 cm", "My shoe size is 43"),
    ("I live in Porto", "My address is 12 Mill Road"),
    ("My dog is called Rex", "My cat is called Mimi"),
    ("My wife's name is Julia", "My name is Ana"),
]
MANY = ["I am allergic to peanuts", "My bike is broken", "My dog is called Rex", "I like tea", "My son Tomas is six"]
NOTHING = [
    "What are your opening hours?",
    "Hello!",
    "Thanks a lot",
    "ok",
    "🙂",
    "",
    "Do you have my address?",
    "The weather is awful today",
]


async def claims(text: str, preceding: str = "") -> list[tuple[str, str]]:
    return [(claim.text, claim.key) for claim in await RuleExtractor().extract(Heard(text=text, preceding=preceding))]


@pytest.mark.parametrize(("older", "newer"), SAME_KEY)
async def test_the_later_of_two_facts_about_one_thing_replaces_the_earlier(older: str, newer: str) -> None:
    first, second = {key for _, key in await claims(older)}, {key for _, key in await claims(newer)}
    assert (first & second) - {""}, (first, second)


@pytest.mark.parametrize(("one", "other"), NOT_THE_SAME)
async def test_facts_about_two_things_stand_beside_each_other(one: str, other: str) -> None:
    keys = [{key for _, key in await claims(text)} - {""} for text in (one, other)]
    assert not keys[0] & keys[1]


@pytest.mark.parametrize("text", MANY)
async def test_what_a_person_may_have_several_of_replaces_nothing(text: str) -> None:
    assert await claims(text) == [(text, "")]


@pytest.mark.parametrize("text", NOTHING)
async def test_what_tells_nothing_of_the_person_is_no_fact(text: str) -> None:
    assert await claims(text) == []


@pytest.mark.parametrize(
    ("asked", "answer", "key_of"),
    [
        ("What is your shoe size?", "43", "My shoe size is 44"),
        ("Where should we send it? What is your address?", "7 Chapel Street, ring twice", "My address is here"),
        ("How tall are you?", "1.78 m", "I am 1.80 m tall"),
        ("What is your budget?", "about 900 dollars", "My budget is 1,000 dollars"),
    ],
)
async def test_a_bare_answer_is_a_fact_about_what_was_asked(asked: str, answer: str, key_of: str) -> None:
    [(_, expected)] = await claims(key_of)
    assert await claims(answer, asked) == [(answer, expected)]
    assert await claims(answer, "Noted, thanks.") == []


async def test_each_sentence_is_a_fact_of_its_own_and_a_question_among_them_is_none() -> None:
    found = await claims("Hi! My name is Ana. I live in Porto. When are you open?")
    assert [text for text, _ in found] == ["My name is Ana.", "I live in Porto."]


@pytest.mark.parametrize("text", ["a" * 4_000, "my " * 1_300, "my name is " * 300, "is " * 1_300, "(" * 4_000])
async def test_long_and_odd_texts_take_no_time(text: str) -> None:
    await claims(text, text)
