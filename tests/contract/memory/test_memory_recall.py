"""What is recalled of long conversations, and what the offline agent makes of it: a part of `make bench-memory`."""

from __future__ import annotations

import pytest

from agents.offline import SAMPLE, OfflineEngine
from memory.embedders.cached import CachedEmbedder
from memory.embedders.minilm import MiniLmEmbedder
from memory.knowledge import KnowledgeBase
from tests.bench.memory import measure, report
from tests.bench.memory.people import people
from tests.bench.memory.systems import Bm25, Ours
from tests.bench.memory.world import open_store

PEOPLE = 5


def test_the_conversations_are_long_and_their_questions_of_every_kind() -> None:
    everybody = people()
    questions = [question for person in everybody for question in person.questions]
    assert everybody == people()
    assert len(everybody) == 20
    assert len(questions) >= 200
    assert {question.kind for question in questions} == {"once", "changed", "short", "untold"}
    for person in everybody:
        said = {message.id: message for message in person.said}
        assert {message.channel for message in person.said} == {"sms", "whatsapp", "chat"}
        assert [message.at for message in person.said] == sorted(message.at for message in person.said)
        for question in person.questions:
            assert bool(question.answer) == bool(question.evidence) == (question.kind != "untold")
            assert not question.answer or question.answer in said[question.evidence].text
            assert bool(question.stale) == (question.kind == "changed")


@pytest.mark.slow
async def test_what_was_told_is_found_again_over_channels_and_answered() -> None:
    embedder = CachedEmbedder(MiniLmEmbedder(), size=2_000)
    everybody = people(PEOPLE)
    async with open_store(embedder) as store:
        ours, bm25 = Ours(store), Bm25()
        for person in everybody:
            await ours.learn(person)
            await bm25.learn(person)
        found = {system.name: await measure.recall(system, everybody) for system in (ours, bm25)}
        engine = OfflineEngine(KnowledgeBase(SAMPLE, embedder), embedder)
        answered = await measure.answers(ours, engine, everybody)

    recalled = {name: report.rate(rows, lambda row: row.evidence) for name, rows in found.items()}
    assert recalled["ours"] >= 0.95, recalled
    assert recalled["ours"] >= recalled["BM25 alone"] + 0.2, recalled
    changed = [row for row in found["ours"] if row.question.stale]
    assert report.rate(changed, lambda row: row.stale_first) <= 0.1
    assert report.switched(answered) == report.SWITCHED
    wrong = [(row.question.text, row.question.answer, row.draft.text) for row in answered if not row.right]
    assert report.follow_ups(answered) >= report.FOLLOW_UPS, wrong
    assert report.honest(answered) >= 0.85, wrong
