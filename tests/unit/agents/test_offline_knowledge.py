"""Questions about the business are answered from the knowledge base, in its words, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.offline import REPLY_CHARS, SAMPLE, UNKNOWN, UNTOLD, OfflineEngine
from agents.turn import Draft, Turn, Utterance
from memory.embedders.minilm import MiniLmEmbedder
from memory.knowledge import KnowledgeBase

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def shop(embedder: MiniLmEmbedder) -> OfflineEngine:
    return OfflineEngine(KnowledgeBase(SAMPLE, embedder), embedder)


@pytest.fixture(scope="module")
def clinic_and_trattoria(embedder: MiniLmEmbedder) -> OfflineEngine:
    """Two businesses in one folder, in lists, tables and questions."""
    return OfflineEngine(KnowledgeBase(HERE / "knowledge", embedder), embedder)


@pytest.fixture(scope="module")
def library(embedder: MiniLmEmbedder) -> OfflineEngine:
    return OfflineEngine(KnowledgeBase(HERE / "library", embedder), embedder)


def assert_answers(draft: Draft, expected: str | tuple[str, ...]) -> None:
    parts = [expected] if isinstance(expected, str) else expected
    assert all(part.lower() in draft.text.lower() for part in parts), draft
    assert draft.kind == "answer"
    assert len(draft.text) <= REPLY_CHARS
    assert all(": " in source for source in draft.sources)


SHOP = [
    ("Good morning, when do you open?", "9:00"),
    ("opening hours", "9:00"),
    ("are you open on sundays", "closed on Sunday"),
    ("when r u open", "9:00"),
    ("where are you", "Canal Street"),
    ("do you fix flat tires?", "flat tyre"),
    ("how much is a full service", "119"),
    ("can I return my helmet?", "30 days"),
    ("I want to return a bike", "30 days"),
    ("what do I need for a test ride", "photo ID"),
    ("how long do repairs take", "three working days"),
    ("do you rent e-bikes", "45"),
    ("can i pay by card", "credit card"),
    ("who is the owner", "Marta"),
    ("how can i reach you by phone", "555 0142"),
    ("is there parking", "park"),
    ("do you have kids bikes? how much", "229"),
    ("delivery cost", "9 dollars"),
    ("how long is the warranty on my bike?", "two years"),
    ("can I cancel my order", "cancel"),
    ("are you open on christmas eve?", "13:00"),
    ("gift cards?", "Gift cards"),
    ("When do you open on Saturday?", "10:00"),
    ("what is your phone number?", "0142"),
    ("what's your address", "Canal"),
    ("do you sell green bikes", "bikes"),
]
CLINIC_AND_TRATTORIA = [
    ("what time do you close on friday?", "14:00"),
    ("are you open on saturday", "closed"),
    ("how much is a cleaning", "70"),
    ("price of teeth whitening?", "250"),
    ("cost of a checkup", "45"),
    ("do you take Multicare insurance", "Multicare"),
    ("can i cancel my appointment", "24 hours"),
    ("I need to cancel my appointment", "24 hours"),
    ("what if I miss my appointment? is there a fee", "30 euro"),
    ("i have a terrible toothache what should i do", "22 555 0100"),
    ("my tooth hurts a lot at night", "22 555 0100"),
    ("from what age do you treat kids", "three years"),
    ("is the first visit for my son free?", "free"),
    ("how do I get there", "Rua das Flores"),
    ("whats the address of the clinic", "Rua das Flores"),
    ("wheelchair?", "wheelchair"),
    ("which metro stop", "Bento"),
    ("is there vegan food", "vegan"),
    ("can i bring my dog", "terrace"),
    ("are dogs allowed inside?", "not inside"),
    ("how can I book a table for 10", "eight"),
    ("do you do delivery", "do not deliver"),
    ("takeaway?", "takeaway"),
    ("what's the wifi password", "basilico"),
    ("is there a menu for children", "kids"),
    ("when does the kitchen open for dinner", "18:30"),
]
LIBRARY = [
    ("hey, is the library open mondays?", "closed on Monday"),
    ("how many books can i take home", "12 books"),
    ("for how long can I keep a book", "three weeks"),
    ("whats the fine for returning late", "20 cents"),
    ("do kids books have late fees?", "no late fees"),
    ("can i print in color", "40 cents"),
    ("how to book a study room", "Study rooms"),
    ("when is story time", "Wednesday"),
    ("book club?", "Thursday"),
    ("how do i get a library card", "photo ID"),
    ("is it free to join", "free"),
    ("how can i renew", "Renew"),
    ("what's your email", "desk@"),
    ("can u give me the phone number", "555-0177"),
    ("are you open on sunday and how much is printing?", "noon"),
    ("Hi! Two questions: what are your opening hours? And how much does printing cost?", "10 cents"),
]
OFF_TOPIC = [
    "What's the capital of France?",
    "do you sell pizza",
    "who won the world cup",
    "asdf qwer zxcv",
    "tell me a joke",
    "what's the weather tomorrow?",
    "do you offer haircuts?",
    "can you help me with my taxes",
    "what is 2+2",
    "blorp",
    "do you sell cars",
    "who is the president of the USA",
    "how tall is the eiffel tower",
    "can you write me a poem",
    "what's bitcoin at today",
    "do you offer yoga classes",
    "is the moon made of cheese",
    "do you have a swimming pool?",
    "recommend me a movie",
    "how do I change a tyre",
    "how much does a bicycle cost",
    "do you have a cafe?",
    "how far is the moon",
    "whats the best pizza in town",
    "sing me a song",
    "what time is it in tokyo",
    "who wrote hamlet",
]
PERSONAL = [
    "When is my appointment?",
    "what's my name",
    "which insurance do I have?",
    "what is my son's name",
    "do you remember what i ordered",
    "how much did I pay",
]


@pytest.mark.parametrize(("question", "expected"), SHOP)
async def test_the_sample_shop_answers(shop: OfflineEngine, question: str, expected: str | tuple[str, ...]) -> None:
    assert_answers(await shop.reply(Turn(text=question)), expected)


@pytest.mark.parametrize(("question", "expected"), CLINIC_AND_TRATTORIA)
async def test_other_topics_answer_too(clinic_and_trattoria: OfflineEngine, question: str, expected: str) -> None:
    assert_answers(await clinic_and_trattoria.reply(Turn(text=question)), expected)


@pytest.mark.parametrize(("question", "expected"), LIBRARY)
async def test_a_folder_with_a_single_file_answers(library: OfflineEngine, question: str, expected: str) -> None:
    draft = await library.reply(Turn(text=question))
    assert expected.lower() in draft.text.lower(), draft


@pytest.mark.parametrize("question", OFF_TOPIC)
async def test_off_topic_is_not_answered(clinic_and_trattoria: OfflineEngine, question: str) -> None:
    draft = await clinic_and_trattoria.reply(Turn(text=question))
    assert (draft.text, draft.kind, draft.sources) == (UNKNOWN, "unknown", ())


@pytest.mark.parametrize("question", PERSONAL)
async def test_a_personal_question_is_never_answered_from_the_knowledge_base(
    clinic_and_trattoria: OfflineEngine, question: str
) -> None:
    assert (await clinic_and_trattoria.reply(Turn(text=question))).text == UNTOLD


@pytest.mark.parametrize(
    ("question", "expected"), [("and on sunday?", "closed on Sunday"), ("what about delivery?", "deliver")]
)
async def test_a_follow_up_goes_on_from_the_question_before(shop: OfflineEngine, question: str, expected: str) -> None:
    history = (
        Utterance(role="contact", text="When do you open on Saturday?"),
        Utterance(role="agent", text="On Saturday we are open from 10:00 to 16:00."),
    )
    assert_answers(await shop.reply(Turn(text=question, history=history)), expected)


async def test_the_sources_name_file_and_heading(shop: OfflineEngine) -> None:
    draft = await shop.reply(Turn(text="Can I pay by card?"))
    assert draft.sources == ("bikes-and-prices.md: Bikes and prices > Payment",)


async def test_the_threshold_decides_when_to_say_no(embedder: MiniLmEmbedder) -> None:
    strict = OfflineEngine(KnowledgeBase(SAMPLE, embedder), embedder, threshold=0.99)
    assert (await strict.reply(Turn(text="Can I pay by card?"))).text == UNKNOWN
