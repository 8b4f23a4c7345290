"""Twenty people, what they said over months by three channels, and what they ask in the end. All from one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from memory.item import AGENT, CONTACT
from tests.bench.memory.chatter import CHATTER
from tests.bench.memory.hotel import HOTEL
from tests.bench.memory.topics import TOPICS, Topic

CHANNELS = ("sms", "whatsapp", "chat")
BEGINNING = datetime(2026, 1, 5, 9, tzinfo=UTC)

# What people speak of, by the business that they write to.
SETS = {"shop": TOPICS, "hotel": HOTEL}

# Of each person: how many things are told once, told and changed later, given in a few words when asked, never told.
ONCE, CHANGED, SHORT, UNTOLD = 8, 4, 2, 3

# Exchanges that tell nothing, for each that does.
CHATTER_EACH = 6

SESSIONS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message. `id` is its source in memory."""

    id: str
    role: str
    text: str
    at: datetime
    channel: str
    turn: int
    preceding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `answer` is what a right answer holds, "" where there is none; `stale` what held before.

    `evidence` is the id of the message that tells it, `told_on` that message's channel.
    """

    kind: str
    text: str
    channel: str
    answer: str = ""
    stale: str = ""
    evidence: str = ""
    told_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One contact with all that was said, oldest first."""

    contact_id: str
    said: tuple[Said, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exchange:
    """What the person writes and what the shop answers; `before` is a question of the shop's that it answers."""

    text: str
    answer: str
    topic: Topic | None = None
    value: str = ""
    kind: str = ""
    before: str = ""


def people(count: int = 20, *, seed: int = 7, topics: Sequence[Topic] = TOPICS) -> tuple[Person, ...]:
    """The same people for the same seed and topics."""
    return tuple(_person(number, random.Random(f"{seed}-{number}"), topics) for number in range(count))


def _person(number: int, chance: random.Random, of: Sequence[Topic]) -> Person:
    topics = chance.sample(of, len(of))
    short = [topic for topic in topics if topic.short][:SHORT]
    changed = [topic for topic in topics if topic.changed and topic not in short][:CHANGED]
    rest = [topic for topic in topics if topic not in short and topic not in changed]
    once, untold = rest[:ONCE], rest[ONCE : ONCE + UNTOLD]
    exchanges = _exchanges(once, changed, short, chance)
    contact_id = f"contact-{number:02}"
    said = tuple(_said(contact_id, exchanges, chance))
    told = {message.text: message for message in said}
    questions = [_question(exchange, exchanges, told, chance) for exchange in exchanges if exchange.topic]
    asked = [question for question in questions if question is not None]
    asked += [
        Question(kind="untold", text=chance.choice(topic.asked), channel=chance.choice(CHANNELS)) for topic in untold
    ]
    return Person(contact_id=contact_id, said=said, questions=tuple(asked))


def _exchanges(
    once: Sequence[Topic], changed: Sequence[Topic], short: Sequence[Topic], chance: random.Random
) -> list[_Exchange]:
    """In the order in which they happen: a change comes in the later half."""
    early = [_told(topic, chance.choice(topic.values), chance) for topic in (*once, *changed)]
    late: list[_Exchange] = []
    for topic in short:
        value = chance.choice(topic.values)
        text = chance.choice(topic.short).format(v=value)
        late.append(
            _Exchange(text=text, answer="Noted, thanks.", topic=topic, value=value, kind="short", before=topic.prompt)
        )
    for topic, first in zip(changed, early[len(once) :], strict=True):
        value = chance.choice([value for value in topic.values if value != first.value])
        text = chance.choice(topic.changed).format(v=value)
        late.append(_Exchange(text=text, answer="Thanks, I have changed it.", topic=topic, value=value, kind="changed"))
    chance.shuffle(early)
    chance.shuffle(late)
    chatter = [_Exchange(text=text, answer=answer) for text, answer in chance.sample(CHATTER, len(CHATTER))]
    told = [*early, *late]
    spread: list[_Exchange] = []
    for index, exchange in enumerate(told):
        start = (index * CHATTER_EACH) % len(chatter)
        spread += [exchange, *chatter[start : start + CHATTER_EACH]]
    return spread


def _told(topic: Topic, value: str, chance: random.Random) -> _Exchange:
    text = chance.choice(topic.told).format(v=value)
    return _Exchange(text=text, answer="Thanks, I'll remember that.", topic=topic, value=value, kind="once")


def _said(contact_id: str, exchanges: Sequence[_Exchange], chance: random.Random) -> Iterator[Said]:
    at, preceding, number = BEGINNING, "", 0
    length = -(-len(exchanges) // SESSIONS)
    for turn, exchange in enumerate(exchanges):
        if turn % length == 0:
            at += timedelta(days=chance.randint(3, 20))
            channel = chance.choice(CHANNELS)
        rows = [(AGENT, exchange.before)] if exchange.before else []
        for role, text in (*rows, (CONTACT, exchange.text), (AGENT, exchange.answer)):
            at += timedelta(seconds=chance.randint(5, 90))
            number += 1
            yield Said(
                id=f"{contact_id}-{number}",
                role=role,
                text=text,
                at=at,
                channel=channel,
                turn=turn,
                preceding=preceding,
            )
            preceding = text


def _question(
    exchange: _Exchange, exchanges: Sequence[_Exchange], told: dict[str, Said], chance: random.Random
) -> Question | None:
    """The question about what this exchange told; None where a later one changed it."""
    topic = exchange.topic
    if topic is None:
        return None
    about = [one for one in exchanges if one.topic is topic]
    if about[-1] is not exchange:
        return None
    evidence = told[exchange.text]
    return Question(
        kind=exchange.kind,
        text=chance.choice(topic.asked),
        channel=chance.choice(CHANNELS),
        answer=exchange.value,
        stale=about[0].value if len(about) > 1 else "",
        evidence=evidence.id,
        told_on=evidence.channel,
    )
