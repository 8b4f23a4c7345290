"""What a turn leaves in memory: both sides, facts that supersede, and a summary of what the window lets go of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from qdrant_client import AsyncQdrantClient
from temporalio.client import Client

from agents.learning import Heard
from agents.turn import Draft, Learned, Turn
from memory.embedded.app import create_app
from memory.embedders.hashing import HashingEmbedder
from memory.item import FACT, MESSAGE, SUMMARY, Recalled
from memory.qdrant import QdrantStore
from memory.store import MemoryUnavailable
from tests.integration.harness import Bench, Conversation, bench_for
from tests.support.ports import eventually
from workflows import policy
from workflows.policy import Rules, WindowUnit


@pytest.fixture
async def bench(client: Client, tmp_path: Path) -> AsyncIterator[Bench]:
    app = create_app(tmp_path)
    transport = httpx.ASGITransport(app)
    qdrant = AsyncQdrantClient(url="http://embedded", transport=transport, check_compatibility=False)
    async with bench_for(client, memory=QdrantStore(qdrant, HashingEmbedder(), timeout=30)) as bench:
        yield bench
    await qdrant.close()
    app.state.shards.close()


async def told(person: Conversation, *texts: str) -> None:
    for text in texts:
        await person.text(text)
        await person.turn(person.count)


async def kept(bench: Bench, person: Conversation, kind: str) -> list[Recalled]:
    contact_id = person.contact_id or f"contact-{person.id}"
    return [item for item in await bench.memory.all_of(contact_id) if item.kind == kind]


async def test_both_sides_are_kept_and_what_the_person_told_with_where_it_comes_from(bench: Bench) -> None:
    person = bench.conversation()
    await told(person, "Hi! I live in Porto.", "When are you open?", "I just moved to Faro")

    messages = await kept(bench, person, MESSAGE)
    assert [(item.role, item.turn) for item in messages] == [
        (role, turn) for turn in (1, 2, 3) for role in ("contact", "agent")
    ]
    facts = await kept(bench, person, FACT)
    assert [(f.text, f.turn, f.source, f.conversation_id, f.channel) for f in facts] == [
        ("I live in Porto.", 1, messages[0].source, person.id, "sms"),
        ("I just moved to Faro", 3, messages[4].source, person.id, "sms"),
    ]
    assert [fact.at for fact in facts] == [messages[0].at, messages[4].at]
    assert [fact.invalid_at for fact in facts] == [facts[1].at, None]
    assert messages[0].invalid_at == facts[1].at
    record = await person.last_turn()
    assert record is not None
    assert [(step.name, step.status) for step in record.steps][-2:] == [("learn", "ran"), ("remember", "ran")]


async def test_what_the_window_lets_go_of_is_summed_up_for_the_agent_and_in_memory(bench: Bench) -> None:
    person = bench.conversation()
    texts = ["I live in Porto", "I ride a Trek", *(f"Tell me more about thing {n}" for n in range(8))]
    await told(person, *texts)

    seen = bench.agent.turns[-1]
    assert len(seen.history) == policy.WINDOW_MESSAGES
    assert "Porto" not in " ".join(said.text for said in seen.history)
    assert "I live in Porto" in seen.summary
    assert "I ride a Trek" in seen.summary
    shown = {said.text for said in seen.history}
    assert not any(line.removeprefix("asked: ") in shown for line in seen.summary.splitlines())
    [summary] = await kept(bench, person, SUMMARY)
    assert "I live in Porto" in summary.text
    assert (summary.conversation_id, summary.channel) == (person.id, "sms")


@pytest.mark.parametrize(("unit", "expected"), [(WindowUnit.CHARACTERS, 2), (WindowUnit.TOKENS, 11)])
async def test_the_window_fits_the_budget_of_the_deployment(bench: Bench, unit: WindowUnit, expected: int) -> None:
    async def short(_: Turn) -> Draft:
        return Draft(text="ok, " + "well noted " * 4)  # 47 characters, 14 tokens

    bench.agent.reply_with = short
    person = bench.conversation(Rules(window=100, window_unit=unit))
    await told(person, *(f"thing {n}" for n in range(9)))
    assert len(bench.agent.turns[-1].history) == expected


async def test_what_the_agent_noted_itself_is_kept_in_place_of_what_the_rules_find(bench: Bench) -> None:
    async def noting(turn: Turn) -> Draft:
        return Draft(text="ok", facts=(Learned(key="diet", text="The person is vegan."),))

    bench.agent.reply_with = noting
    person = bench.conversation()
    await told(person, "My name is Ana and I eat no meat, no eggs and no cheese")
    assert [(fact.text, fact.key) for fact in await kept(bench, person, FACT)] == [("The person is vegan.", "diet")]


async def test_facts_are_written_later_where_memory_is_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: Any) -> None:
        raise MemoryUnavailable("refused")

    person = bench.conversation()
    with monkeypatch.context() as patched:
        patched.setattr(bench.memory, "remember", away)
        await told(person, "I live in Porto")
        assert (await person.view()).unremembered == 3
    await eventually(lambda: kept(bench, person, FACT), within=60)
    assert bench.outbox.bodies == ["re: I live in Porto"]


async def test_an_extractor_that_fails_costs_the_facts_and_nothing_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Any, __: Heard) -> tuple[Learned, ...]:
        raise ValueError("my secret is zebra")

    monkeypatch.setattr("agents.learning.RuleExtractor.extract", broken)
    person = replace(bench.conversation())
    await told(person, "I live in Porto")
    assert len(await kept(bench, person, MESSAGE)) == 2
    assert await kept(bench, person, FACT) == []
    record = await person.last_turn()
    assert record is not None
    [step] = [step for step in record.steps if step.name == "learn"]
    assert step.status == "fell back"
    assert "zebra" not in step.reason
