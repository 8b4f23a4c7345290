"""The person's own questions are answered with the person's own words, or with an honest no."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from agents.offline import SAMPLE, UNKNOWN, UNTOLD, OfflineEngine
from agents.turn import Draft, Turn, Utterance
from memory.embedders.minilm import MiniLmEmbedder
from memory.item import Recalled
from memory.knowledge import KnowledgeBase

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(embedder: MiniLmEmbedder) -> OfflineEngine:
    return OfflineEngine(KnowledgeBase(SAMPLE, embedder), embedder)


def history(said: Sequence[str]) -> tuple[Utterance, ...]:
    """What the contact said; "agent: ..." and "operator: ..." are what others did."""
    rows = []
    for text in said:
        role, _, rest = text.partition(": ")
        rows.append(
            Utterance(role=role, text=rest) if role in {"agent", "operator"} else Utterance(role="contact", text=text)
        )
    return tuple(rows)


def recalled(said: Sequence[str]) -> tuple[Recalled, ...]:
    """The same from memory, by another channel and in an order that says nothing about time."""
    rows = [
        Recalled(
            text=text,
            role="contact",
            at=BEGINNING + timedelta(hours=n),
            channel="whatsapp",
            conversation_id="another",
            turn=n,
            score=0.5,
            source=f"IM{n}",
        )
        for n, text in enumerate(said)
    ]
    return tuple(reversed(rows))


def assert_says(draft: Draft, *expected: str) -> None:
    assert all(part.lower() in draft.text.lower() for part in expected), draft


TOLD = [
    "My order number is 4711",
    "my name is Ana",
    "I moved to Porto",
    "I am allergic to peanuts",
    "My dog is called Rex",
    "my cat's name is Mimi",
    "I have two kids, Leo and Mia",
    "my birthday is on May 3rd",
    "I work as a nurse",
    "my phone number is +351 912 000 111",
    "you can email me at ana@example.org",
    "My favourite color is green",
    "I ride a Trek Domane",
    "my appointment is on Tuesday at 3pm",
    "my wife Julia likes gravel bikes",
    "I am 34 years old",
]
ASKED = [
    ("What was my order number?", "4711"),
    ("whats my order number", "4711"),
    ("do you remember my order number", "4711"),
    ("can you tell me my order number again?", "4711"),
    ("which order number did i give you", "4711"),
    ("what was the order number again?", "4711"),
    ("I forgot my order number", "4711"),
    ("what is my name?", "Ana"),
    ("who am i", "Ana"),
    ("do you know my name", "Ana"),
    ("whats my name again", "Ana"),
    ("where do I live?", "Porto"),
    ("what city do i live in", "Porto"),
    ("where did I move to?", "Porto"),
    ("what's my address", "Porto"),
    ("what am I allergic to?", "peanuts"),
    ("do i have any allergies?", "peanuts"),
    ("Which food can't I eat?", "peanuts"),
    ("what is my dog called?", "Rex"),
    ("What's the name of my dog?", "Rex"),
    ("whats my cats name", "Mimi"),
    ("what are my pets called?", ("Rex", "Mimi")),
    ("do you remember my dog's name?", "Rex"),
    ("how many kids do I have?", "two kids"),
    ("what are my children's names", "Leo"),
    ("when is my birthday", "May 3"),
    ("when was i born?", "May 3"),
    ("what do I do for a living?", "nurse"),
    ("what's my job", "nurse"),
    ("where do i work", "nurse"),
    ("what is my phone number?", "912 000"),
    ("what's my email address", "ana@example"),
    ("what is my favorite colour?", "green"),
    ("which color do i like", "green"),
    ("what bike do i ride?", "Domane"),
    ("when is my appointment?", "Tuesday"),
    ("what time is my booking", "3pm"),
    ("what is my wife's name?", "Julia"),
    ("how old am I?", "34"),
]
PAIRS = [
    ("I weigh 80 kilos, does the rack hold that?", "what is my weight?", "80"),
    ("My locker code is 8812", "Where do I put my bike, what is my locker code?", "8812"),
    ("My daughter is called Zoe", "What is my little one called? My daughter, I mean.", "Zoe"),
    ("I am training for the Lakes Audax", "which event am I preparing for?", "Audax"),
    ("My commute is 9 miles", "how far do I ride to work?", "9 miles"),
    ("I am allergic to latex", "what must I stay away from because of my allergy?", "latex"),
    ("I ride a Brompton", "which model is my bike?", "Brompton"),
    ("My address is 12 Mill Road", "where do I live?", "12 Mill Road"),
    ("I live at 12 Mill Road", "what is my address?", "12 Mill Road"),
    ("I arrive on June 4th", "what is my arrival date?", "June 4th"),
    ("I have insurance with Medis", "which insurance do i have?", "Medis"),
    ("My son Tomas is 6", "what's my son's name", "Tomas"),
    ("My son Tomas is 6", "how old is my son?", "6"),
    ("My appointment is next Monday at 9", "when is my appointment again", "Monday"),
    ("I take blood thinners", "what medication do i take", "blood thinners"),
    ("my license plate is AB-12-CD", "what's my license plate", "AB-12-CD"),
    ("my car is a blue Fiat Panda", "what car do i drive", "Fiat"),
    ("my car is a blue Fiat Panda", "what color is my car", "blue"),
    ("My flight is TP1234 on 5 June", "what was my flight number", "TP1234"),
    ("the code is 9931", "what was the code?", "9931"),
    ("I paid 45 euros", "how much did I pay?", "45"),
    ("We will be 5 people", "how many people did I say?", "5"),
    ("I'm vegan", "am I vegan?", "vegan"),
    ("I'm vegan", "what is my diet", "vegan"),
    ("I like window seats", "where do I like to sit", "window"),
    ("I hate coriander", "what food do I hate", "coriander"),
    ("My mom's birthday is March 12", "when is my mom's birthday", "March 12"),
    ("I'm getting married on 8 August", "when am I getting married", "8 August"),
    ("I was born in Lyon", "where was I born", "Lyon"),
    ("I'm from Brazil", "where am I from?", "Brazil"),
    ("I study biology", "what do I study", "biology"),
    ("My favourite team is Benfica", "who is my favourite team", "Benfica"),
    ("my shoe size is 42", "what's my shoe size", "42"),
    ("I wear size M", "what size do i wear", "size M"),
    ("My budget is 500 euros", "what's my budget", "500"),
    ("My husband is called Pedro", "what's my husband's name?", "Pedro"),
    ("my reservation is under Smith", "what name is my reservation under", "Smith"),
    ("My tracking number is 1Z999", "give me my tracking number", "1Z999"),
    ("I live at 5 Rose Street, Porto", "what is my address?", "Rose Street"),
    ("My hotel is the Ibis", "which hotel am I staying at", "Ibis"),
    ("my parrot is called Kiki", "what's my parrot's name", "Kiki"),
    ("my parrot is called Kiki", "do you remember the name of my bird?", "Kiki"),
    ("I have 3 cats: Tom, Kit and Bo", "how many cats do i have", "3 cats"),
    ("I have 3 cats: Tom, Kit and Bo", "what are the names of my cats", "Tom"),
    ("I play the violin", "what instrument do i play", "violin"),
    ("My doctor is Dr. Alves", "who is my doctor?", "Alves"),
    ("my room number is 204", "which room am i in", "204"),
    ("My PIN is 8812", "what did i say my pin was?", "8812"),
    ("My order number is 4711", "order number?", "4711"),
    ("my order number is 4711", "and what was my order number?", "4711"),
    ("My order number is 4711", "Hey, could you remind me what my order number was?", "4711"),
    ("My order number is 4711", "Sorry, what did I say my order number was", "4711"),
    ("my order number is #A-4711.", "please repeat my order number", "4711"),
    ("i ordered a blue helmet", "what did I order?", "helmet"),
    ("I bought a gravel bike last week", "which bike did I buy", "gravel"),
    ("call me Bob", "what's my name", "Bob"),
    ("This is Carla from Lisbon", "what is my name?", "Carla"),
    ("Hi I'm Joana", "whats my name", "Joana"),
    ("im joana", "whats my name", "joana"),
    ("My name's Ana", "what is my name", "Ana"),
    ("hello my name is bob and i live in paris", "where do i live", "paris"),
    ("hello my name is bob and i live in paris", "what's my name", "bob"),
    ("My name is Ana and my order number is 77", "what's my order number", "77"),
    ("My library card number is 88231", "what's my card number?", "88231"),
    ("My library card number is 88231", "What was my library card number", "88231"),
    ("I borrowed Dune last week", "what did I borrow?", "Dune"),
    ("I borrowed Dune last week", "which book did i borrow last week", "Dune"),
    ("My daughter Sofia loves dinosaurs", "what does my daughter love?", "dinosaurs"),
    ("My daughter Sofia loves dinosaurs", "what's my daughter's name", "Sofia"),
    ("I parked on level 3", "where did I park?", "level 3"),
    ("My favourite author is Le Guin", "who's my favourite author?", "Le Guin"),
    ("The gate code is 5521", "what's the gate code?", "5521"),
    ("I'll arrive at 6 pm on Friday", "when do I arrive?", "6 pm"),
    ("I'll arrive at 6 pm on Friday", "when will I arrive?", "6 pm"),
    ("my flight leaves at 7:45", "what time does my flight leave?", "7:45"),
    ("We have a table for four at eight", "how many people is my table for", "four"),
    ("My new job starts on Monday at Google", "where do i work now", "Google"),
    ("My best friend is Lena", "who is my best friend", "Lena"),
    ("I speak French and German", "which languages do I speak", "French"),
    ("my anniversary is 14 February", "when's my anniversary?", "14 February"),
    ("I am 180 cm tall", "how tall am I", "180"),
    ("My license expires in May 2027", "when does my license expire", "2027"),
    ("My nephew is called Theo", "whats the name of my nephew", "Theo"),
    ("the wifi password is hunter2", "what was the wifi password again?", "hunter2"),
    ("I need 3 chairs", "how many chairs do i need", "3"),
    ("I usually drink oat milk latte", "what do I usually drink", "latte"),
    ("My bike's serial number is XK99", "what's the serial number of my bike?", "XK99"),
    ("I left my umbrella at the shop", "what did I leave at the shop?", "umbrella"),
    ("I'm staying at Hotel Astoria", "where am I staying?", "Astoria"),
    ("I'm staying at Hotel Astoria", "what hotel am i in", "Astoria"),
    ("I've got an appointment with Dr Silva on Wednesday", "who is my appointment with", "Silva"),
    ("My name is Li", "Do you know who I am?", "Li"),
    ("I'd like to be called Max", "what should you call me", "Max"),
    ("My order 5512 has not arrived", "what was my order number", "5512"),
    ("My dogs are Rex and Bella", "what are my dogs' names?", "Bella"),
    ("I prefer morning deliveries", "when do I prefer deliveries", "morning"),
    ("I take my coffee black", "how do I take my coffee", "black"),
    ("my postcode is 4000-123", "what's my post code", "4000-123"),
    ("I have a meeting tomorrow at 9", "when is my meeting", "9"),
    ("my kid is in grade 3", "what grade is my kid in", "grade 3"),
    ("You can reach me at 555 1234", "what's my number?", "555 1234"),
    ("my lucky number is 7", "what is my lucky number?", "7"),
    ("I wanted the red one", "which one did I want", "red"),
    ("I'm lactose intolerant", "what can't I drink", "lactose"),
    ("I'm lactose intolerant", "am I lactose intolerant?", "lactose"),
    ("My order number is 4711", "Can you remind me of the order number I gave you?", "4711"),
    ("My order number is 4711", "what order number did I mention earlier?", "4711"),
    ("My order number is 4711", "WHAT WAS MY ORDER NUMBER", "4711"),
    ("My order number is 4711", "my order number pls", "4711"),
    ("My order number is 4711", "do u know my order number", "4711"),
    ("My order number is 4711", "what's my order no?", "4711"),
    ("My order number is 4711", "wht was my ordr number", "4711"),
    ("My order number is 4711", "Do you still have my order number?", "4711"),
    ("My order number is 4711", "what was that number again", "4711"),
    ("My order number is 4711", "What number did I give you?", "4711"),
    ("My cat Luna is 12 years old", "how old is my cat?", "12"),
    ("My room is 412", "what is my room number?", "412"),
    ("My room is 412", "what room am I in?", "412"),
    ("my booking reference is QX7T2", "what's my booking reference", "QX7T2"),
    ("my booking reference is QX7T2", "can you remind me of my reference?", "QX7T2"),
    ("We arrive on 14 July", "when do we arrive?", "14 July"),
    ("My daughter Eva turns 5 on Sunday", "how old is my daughter turning?", "5"),
    ("I like quiet rooms", "what kind of room do I like?", "quiet"),
    ("I have a peanut allergy", "what is my allergy?", "peanut"),
    ("My wife's name is Clara", "who is my wife?", "Clara"),
    ("Our anniversary is on 3 June", "when is our anniversary", "3 June"),
    ("My passport number is X1234567", "what's my passport number?", "X1234567"),
    ("my favorite dish is paella", "What's my favourite dish?", "paella"),
    ("I drive a Tesla", "which car do I drive?", "Tesla"),
    ("I drive a Tesla", "what's my car", "Tesla"),
    ("The name is Bond", "what's my name?", "Bond"),
    ("I am Sofia, room 12", "what's my name", "Sofia"),
    ("hi, this is Marco", "do you know my name?", "Marco"),
    ("I work at the airport", "where do I work?", "airport"),
    ("I lost my blue backpack", "what did I lose?", "backpack"),
    ("I'd prefer a room on the top floor", "which floor do I prefer", "top floor"),
    ("my email is jo@ex.com", "what email did I give you?", "jo@ex.com"),
    ("My shoe size is 39 not 38", "what is my shoe size?", "39"),
    ("I was wrong, my room is 413", "what's my room", "413"),
    ("I ordered two pizzas and a salad", "what was my order?", "two pizzas"),
    ("my favourite band is Muse", "whats my fav band", "Muse"),
    ("my dog bruno is 3 years old", "what is the name of my dog", "bruno"),
    ("my dog bruno is 3 years old", "how old is my dog?", "3"),
    ("I need a wheelchair", "do I need a wheelchair?", "wheelchair"),
    ("My order number is 4711", "Which number is my order?", "4711"),
    ("My order number is 4711", "Tell me the number of my order", "4711"),
    ("My order number is 4711", "u remember my order number?", "4711"),
    ("My order number is 4711", "what's the number of my order again", "4711"),
    ("My order is number 4711", "What was my order number?", "4711"),
    ("order no 4711", "What was my order number?", "4711"),
    ("It's order 4711", "What was my order number?", "4711"),
    ("Hi, I'm Ana and my order number is 4711, it hasn't arrived yet.", "What was my order number?", "4711"),
    ("Hi, I'm Ana and my order number is 4711, it hasn't arrived yet.", "what's my name?", "Ana"),
    ("I have an appointment on June 12 at 15:30 with Dr. Weber", "When is my appointment?", "15:30"),
    ("please remember: my locker code is 2580", "what's my locker code?", "2580"),
    ("My cat's name is Mittens and she is 4", "What is my cat called?", "Mittens"),
    ("I moved from Lisbon to Porto last year", "Where do I live now?", "Porto"),
    ("My new phone number is 555-9876", "what is my new number?", "555-9876"),
    ("my sister's birthday is in March", "when is my sister's birthday", "March"),
    ("I'm 42", "How old am I?", "42"),
    ("I have three children", "Do I have children?", "three"),
    ("I'm married to Tom", "who am I married to?", "Tom"),
]
UNTOLD_QUESTIONS = [
    ("My dog is Rex", "what is my cat's name"),
    ("My name is Ana", "what's my surname"),
    ("I live in Porto", "where was I born"),
    ("My order number is 4711", "what's my tracking number"),
    ("My car is blue", "what's my shoe size"),
    ("I like tea", "when is my birthday"),
    ("I moved to Porto", "when is my appointment"),
    ("My wife is Eva", "what's my sister's name"),
    ("I have two kids", "how old am I"),
    ("I'd like to know my order number", "what is my order number"),
    ("What's my name?", "what's my name?"),
    ("my order is late", "what is my order number"),
    ("my sister lives in Rome", "where do I live?"),
    ("my friend is allergic to nuts", "what am I allergic to?"),
    ("", "What was my order number?"),
    ("my name is Ana", "what's my dog's name?"),
    ("My dog is called Rex", "what is my name"),
    ("My dog is called Rex", "what's my cat's name?"),
    ("my name is Ana", "where do I live?"),
    ("My order number is 4711", "what's my phone number"),
    ("", "where do i live"),
    ("My room is 412", "what's my booking reference"),
    ("I like tea", "what's my favourite colour"),
    ("My dog is Bruno", "what is my cat called"),
    ("I drive a Tesla", "what bike do I ride"),
    ("I ride a lot, my commute is 14 miles", "which bike do I ride?"),
    ("My neighbour's kid wants to try a tricycle", "who is my neighbour?"),
    ("My height is 1.78 m", "what is my frame size?"),
    ("My shoe size is 43", "what was my frame size?"),
    ("My address is 12 Mill Road", "which town do I live in?"),
    ("During the day you reach me at work", "what do I work as?"),
    ("I called them, the taxi comes at nine", "what is my company called?"),
    ("My name is Ana", "what's my surname?"),
    ("Your colleague moved it, my appointment is on Tuesday at 3 pm now", "what is my address?"),
    ("I ride a Trek to work every day", "what do I work as?"),
    ("My address is 95 Station Road", "What did I say, how tall am I?"),
    ("My brother is 30", "how old am I"),
    ("My daughter is Eva", "what's my son's name"),
    ("My order number is 4711", "what's my invoice number"),
    ("My email is a@b.c", "what's my phone number"),
    ("I work at Google", "where do I live"),
]
CHANGED = [
    (["My order number is 4711", "My order number is 4712, sorry"], "what was my order number", "4712"),
    (["I live in Lisbon", "I moved to Porto"], "where do i live?", "Porto"),
    (
        ["My order number is 4711", "agent: Thanks, I'll remember that.", "sorry, it's 4712"],
        "what's my order number",
        "4712",
    ),
    (["my name is Ana", "Actually call me Annie"], "what's my name", "Annie"),
    (
        ["My dog is called Rex", "my cat's name is Mimi", "actually my dog is called Max now"],
        "what's my dog called",
        "Max",
    ),
    (["I am in room 4711", "Hello", "They moved us, my room number is 318 now."], "which room am I in?", "318"),
    (["I ordered a taxi for 4711 o'clock", "my taxi comes at 6:15 now"], "when did I order the taxi for?", "6:15"),
    (["My office number is 318", "I placed a new one, my order number is 4711"], "what is my office number?", "318"),
    (["I live in Porto", "95 Station Road is my address"], "which town do I live in?", "Porto"),
    (["operator: What is your order number?", "4711"], "what was my order number?", "4711"),
    (["operator: Your appointment is on Friday at 10:00."], "when is my appointment", "Friday"),
]


@pytest.mark.parametrize(("question", "expected"), ASKED)
@pytest.mark.parametrize("where", ["window", "memory"])
async def test_among_many_facts_the_right_one_is_found(
    engine: OfflineEngine, where: str, question: str, expected: str | tuple[str, ...]
) -> None:
    turn = (
        Turn(text=question, history=history(TOLD))
        if where == "window"
        else Turn(text=question, recalled=recalled(TOLD))
    )
    draft = await engine.reply(turn)
    assert_says(draft, *([expected] if isinstance(expected, str) else expected))
    assert draft.kind == "answer"
    assert all(
        source == "conversation" if where == "window" else source.startswith("memory:") for source in draft.sources
    )


@pytest.mark.parametrize(("told", "question", "expected"), PAIRS)
async def test_one_fact_and_many_ways_to_ask_for_it(
    engine: OfflineEngine, told: str, question: str, expected: str
) -> None:
    filler = ["When do you open?", "agent: We are open Monday to Friday.", "thanks", "agent: You're welcome!"]
    assert_says(await engine.reply(Turn(text=question, history=history([told, *filler]))), expected)


@pytest.mark.parametrize(("told", "question"), UNTOLD_QUESTIONS)
async def test_what_was_not_told_is_not_answered(engine: OfflineEngine, told: str, question: str) -> None:
    draft = await engine.reply(Turn(text=question, history=history([told] if told else [])))
    assert (draft.text, draft.kind) == (UNTOLD, "unknown")


@pytest.mark.parametrize(("said", "question", "expected"), CHANGED)
async def test_the_newest_word_holds_and_answers_belong_to_their_questions(
    engine: OfflineEngine, said: list[str], question: str, expected: str
) -> None:
    draft = await engine.reply(Turn(text=question, history=history(said)))
    assert_says(draft, expected)
    older = {"4711", "Lisbon", "Rex"} - {expected}
    assert not any(word in draft.text for word in older), draft


async def test_a_newer_word_in_memory_replaces_an_older_one_there(engine: OfflineEngine) -> None:
    for said in (["I live in Lisbon", "I moved to Porto"], ["I moved to Lisbon", "I live in Porto"]):
        draft = await engine.reply(Turn(text="where do I live?", recalled=recalled(said)))
        assert_says(draft, "Porto")
        assert "Lisbon" not in draft.text


async def test_the_window_is_newer_than_memory(engine: OfflineEngine) -> None:
    turn = Turn(
        text="what's my order number?",
        history=history(["my order number is 4712"]),
        recalled=recalled(["my order number is 4711"]),
    )
    assert_says(await engine.reply(turn), "4712")


async def test_everything_known_is_listed_on_request(engine: OfflineEngine) -> None:
    draft = await engine.reply(Turn(text="what do you know about me?", history=history(TOLD)))
    assert_says(draft, "You told me", TOLD[-1])


@pytest.mark.parametrize("question", ["is my bike ready?", "where is my order", "has my refund been processed?"])
async def test_how_something_stands_is_for_a_colleague_to_say(engine: OfflineEngine, question: str) -> None:
    said = ["My order number is 4711", "my bike is a red Trek"]
    assert (await engine.reply(Turn(text=question, history=history(said)))).text == UNKNOWN
    said.append("operator: Your bike is ready, your order and your refund were processed yesterday.")
    assert_says(await engine.reply(Turn(text=question, history=history(said))), "Our colleague wrote")
