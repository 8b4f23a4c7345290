"""Statements, smalltalk, and several things in one turn."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.offline import HUMAN, NOTED, SAMPLE, SORRY, OfflineEngine
from agents.turn import Turn, Utterance
from memory.embedders.hashing import HashingEmbedder
from memory.embedders.minilm import MiniLmEmbedder
from memory.knowledge import KnowledgeBase


@pytest.fixture(scope="module")
def engine(embedder: MiniLmEmbedder) -> OfflineEngine:
    return OfflineEngine(KnowledgeBase(SAMPLE, embedder), embedder)


STATEMENTS = [
    "My order number is 4711",
    "my name is ana",
    "I moved to Porto",
    "I am allergic to peanuts",
    "im allergic to nuts",
    "We have two dogs",
    "my sister is getting married in june",
    "I'm vegetarian",
    "I prefer to be called in the evening",
    "Please note my new address: 5 Rose Street",
    "my appointment moved to Friday",
    "Just so you know, I only speak Spanish",
    "order number 4711",
    "My name is Bob",
    "I live in Rome now",
    "i'm 34",
    "I have a cat",
    "Our anniversary is on June 5",
    "I can't eat gluten",
    "I don't like mornings",
    "my phone died",
    "The reservation is for 6 people",
    "my email is a@b.co",
    "I'm a teacher",
    "I drive a red Mini",
    "It's my birthday today",
    "I got a new dog, Max",
    "My kids are 5 and 7",
    "Just to let you know I will be late",
    "I am on holiday until Monday",
    "we moved last month",
    "My order number is 4711.",
    "remember that my code is 123",
    "My favourite colour is blue!",
    "I usually pay cash",
]
SMALLTALK = [
    ("hi", "Hello"),
    ("Hello there!", "Hello"),
    ("thanks a lot!", "welcome"),
    ("ok thank you", "welcome"),
    ("bye", "Goodbye"),
    ("how are you?", "well"),
    ("are you a bot?", "automated"),
    ("👍", "here"),
]


@pytest.mark.parametrize("statement", [*STATEMENTS, "hi, i'm Tom"])
async def test_a_statement_is_noted_and_no_more(engine: OfflineEngine, statement: str) -> None:
    draft = await engine.reply(Turn(text=statement))
    assert (draft.text, draft.kind, draft.sources) == (NOTED, "smalltalk", ())


@pytest.mark.parametrize(("text", "expected"), SMALLTALK)
async def test_smalltalk_is_answered_shortly(engine: OfflineEngine, text: str, expected: str) -> None:
    draft = await engine.reply(Turn(text=text))
    assert expected in draft.text
    assert draft.kind == "smalltalk"


async def test_several_questions_are_all_answered_in_their_order(engine: OfflineEngine) -> None:
    draft = await engine.reply(
        Turn(text="Hi!\nWhen do you open on Saturday?\nwhere is your shop\nHow much is a flat tyre? Do you sell pizza?")
    )
    places = [draft.text.find(part) for part in ("10:00", "12 Canal Street", "18 dollars", "Do you sell pizza")]
    assert -1 not in places, draft
    assert places == sorted(places)
    assert len(draft.sources) == 3
    assert draft.kind == "answer"


async def test_personal_and_business_questions_mix(engine: OfflineEngine) -> None:
    said = (Utterance(role="contact", text="My order number is 4711"),)
    draft = await engine.reply(Turn(text="What was my order number and when do you open on saturday?", history=said))
    assert "4711" in draft.text
    assert "10:00" in draft.text


async def test_what_is_said_in_the_turn_itself_counts(engine: OfflineEngine) -> None:
    draft = await engine.reply(Turn(text="My name is Ana.\nWhat's my name?"))
    assert draft.text == f'{NOTED}\nYou told me: "My name is Ana."'


async def test_a_bare_value_answers_our_question(engine: OfflineEngine) -> None:
    asked = (Utterance(role="operator", text="What is your order number?"),)
    assert (await engine.reply(Turn(text="4711", history=asked))).text == NOTED


async def test_trouble_is_met_with_sympathy_and_without_promises(engine: OfflineEngine) -> None:
    draft = await engine.reply(Turn(text="I want to complain, your colleague was awful"))
    assert (draft.text, draft.kind) == (SORRY, "apology")


@pytest.mark.parametrize("text", ["I want to talk to a human", "can I speak to a person please", "delete my data"])
async def test_what_only_people_can_do_is_left_to_them(engine: OfflineEngine, text: str) -> None:
    draft = await engine.reply(Turn(text=text))
    assert (draft.text, draft.kind) == (HUMAN, "unknown")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200), said=st.lists(st.text(max_size=60), max_size=4))
async def test_whatever_is_written_there_is_an_answer(text: str, said: list[str]) -> None:
    embedder = HashingEmbedder()
    engine = OfflineEngine(_sample(embedder), embedder)
    draft = await engine.reply(Turn(text=text, history=tuple(Utterance(role="contact", text=row) for row in said)))
    assert draft.text.strip()


_SAMPLES: dict[str, KnowledgeBase] = {}


def _sample(embedder: HashingEmbedder) -> KnowledgeBase:
    """Read once; its passages do not change."""
    return _SAMPLES.setdefault(embedder.model, KnowledgeBase(SAMPLE, embedder))


@pytest.mark.parametrize(
    "text", ["", "   ", "\n\n", "?", "...", "🙂", "a" * 5_000, "? " * 500, "what " * 300, "my " * 400]
)
async def test_odd_texts_are_answered_within_bounds(engine: OfflineEngine, text: str) -> None:
    draft = await engine.reply(Turn(text=text))
    assert 0 < len(draft.text) < 1_000


@pytest.mark.parametrize(
    "text",
    [
        "o" + "k" * 200 + " x",
        "no" * 400 + "9",
        "is my " * 3_000,
        "remember " * 3_000,
        "what my number of " * 800,
        "hi, " * 2_000,
    ],
)
@pytest.mark.timeout(30)  # what a pattern that backtracks without bound would never keep; normal is well under a second
async def test_no_text_keeps_the_worker_busy(engine: OfflineEngine, text: str) -> None:
    assert (await engine.reply(Turn(text=text, history=(Utterance(role="contact", text=text),)))).text
