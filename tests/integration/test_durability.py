"""A model's reply as one activity, and as one for each request and tool call: what each keeps, and what each costs.

Run as a module, this is the worker that the tests kill:
`python -m tests.integration.test_durability ADDRESS QUEUE FOLDER`.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelHTTPError, ModelRequestRejectedError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from agents.durable import DurableReplies
from agents.guardrails import Guardrails
from agents.llm import LlmEngine, LlmOptions
from agents.pricing import Price
from agents.tools import Tool, described
from tests.integration.harness import Agent, Bench, bench_for
from tests.integration.test_crash import Ledger, LedgerOutbox
from workflows import policy
from workflows.policy import Durability, Rules, TurnPolicy
from workflows.state import Outcome

ROOT = Path(__file__).parents[2]
CANARY = "a1b2c3d4e5f6a7b8c9"


def tools_of(ledger: Ledger) -> tuple[Tool, ...]:
    async def order_status(contact_id: str, order: str) -> str:
        """Where an order of this person is."""
        ledger.write("tools", contact_id=contact_id, order=order)
        return f"{order} is on its way"

    return (described(order_status),)


def model_of(ledger: Ledger) -> FunctionModel:
    """Asks the tool, then answers. A file named `hang` in the ledger's folder makes the second request never return."""

    async def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        found = [part.content for row in messages for part in row.parts if isinstance(part, ToolReturnPart)]
        ledger.write("requests", number="2" if found else "1")
        if not found:
            return ModelResponse(parts=[ToolCallPart("order_status", {"order": "A-17"})])
        if (ledger.folder / "hang").exists():
            await asyncio.Event().wait()
        return ModelResponse(parts=[TextPart(f"{found[0]}.")])

    return FunctionModel(answer, model_name="scripted")


def ports(model: Any, tools: tuple[Tool, ...] = (), **guards: Any) -> dict[str, Any]:
    options = LlmOptions(tools=tools, prices={"scripted": Price(input=1.0, output=1.0)})
    engine = LlmEngine(model, None, options)
    durable = DurableReplies(engine, Guardrails(**guards), model=model, options=options)
    return {"agent": Agent(engine.reply), "durable": durable}


async def _work(address: str, queue: str, folder: Path) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    ledger = Ledger(folder)
    bench = Bench(client, queue, outbox=LedgerOutbox(ledger), **ports(model_of(ledger), tools_of(ledger)))
    async with bench.worker():
        await asyncio.Event().wait()


@contextmanager
def _worker(address: str, queue: str, ledger: Ledger) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.integration.test_durability", address, queue, str(ledger.folder)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("durability", "first_requests"), [(Durability.REQUEST, 1), (Durability.REPLY, 2)])
async def test_a_worker_killed_between_two_requests_repeats_the_first_only_where_the_reply_is_one_activity(
    client: Client, temporal_address: str, ledger: Ledger, durability: Durability, first_requests: int
) -> None:
    queue = f"durable-{uuid.uuid4().hex}"
    person = Bench(client, queue).conversation(Rules(durability=durability))
    (ledger.folder / "hang").touch()
    with _worker(temporal_address, queue, ledger):
        await person.text("Where is A-17?")
        await ledger.has("requests", 2)
    (ledger.folder / "hang").unlink()

    with _worker(temporal_address, queue, ledger):
        turn = await person.turn(1, within=120)

    requests = Counter(entry["number"] for entry in ledger.read("requests"))
    assert requests == {"1": first_requests, "2": 2}
    assert len(ledger.read("tools")) == first_requests
    assert {entry["contact_id"] for entry in ledger.read("tools")} == {f"contact-{person.id}"}
    assert ledger.bodies == ["A-17 is on its way."]
    assert turn.outcome is Outcome.ANSWERED
    assert turn.usage["requests"] == 2
    assert turn.usage["tool_calls"] == 1


@pytest.mark.parametrize("durability", list(Durability))
async def test_both_give_the_same_answer_with_its_tokens_and_cost(
    client: Client, ledger: Ledger, durability: Durability
) -> None:
    async with bench_for(client, **ports(model_of(ledger), tools_of(ledger))) as bench:
        person = bench.conversation(Rules(durability=durability))
        await person.text("Where is A-17?")
        turn = await person.turn(1)
        assert bench.outbox.bodies == ["A-17 is on its way."]
        assert turn.usage["requests"] == 2
        tokens = turn.usage["input_tokens"] + turn.usage["output_tokens"]
        assert turn.cost == pytest.approx(tokens / 1_000_000)
        assert (await person.view()).tokens == tokens


async def test_one_activity_for_each_request_and_call_and_the_conversation_grows_by_one_child(
    client: Client, ledger: Ledger
) -> None:
    async with bench_for(client, **ports(model_of(ledger), tools_of(ledger))) as bench:
        person = bench.conversation(Rules(durability=Durability.REQUEST))
        await person.text("Where is A-17?")
        await person.turn(1)
        child = client.get_workflow_handle(f"{person.id}-reply-1-1")
        scheduled = [
            event.activity_task_scheduled_event_attributes.activity_type.name
            for event in (await child.fetch_history()).events
            if event.HasField("activity_task_scheduled_event_attributes")
        ]
        own = [
            event.activity_task_scheduled_event_attributes.activity_type.name
            for event in (await person.handle.fetch_history()).events
            if event.HasField("activity_task_scheduled_event_attributes")
        ]
    assert [name.rsplit("__", 1)[-1] for name in scheduled] == ["model_request", "call_tool", "model_request"]
    assert own == ["deliver"]


async def test_guardrails_hold_there_too(client: Client) -> None:
    async def leak(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[TextPart(f"my mark is {CANARY}")])

    async with bench_for(client, **ports(FunctionModel(leak), canary=CANARY, input_chars=50)) as bench:
        person = bench.conversation(Rules(durability=Durability.REQUEST))
        await person.text("what is your mark?")
        turn = await person.turn(1)
        assert CANARY not in bench.outbox.bodies[0]
        assert [firing.check for firing in turn.firings] == ["canary"]
        assert turn.outcome is Outcome.HELD


@pytest.mark.parametrize("durability", list(Durability))
async def test_a_model_that_refuses_for_good_is_apologised_for_and_its_words_are_recorded_nowhere(
    client: Client, durability: Durability
) -> None:
    calls, words = [], uuid.uuid4().hex  # not in the source, which a stack trace quotes

    async def refuse(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        calls.append(1)
        raise ModelHTTPError.for_category(
            ModelRequestRejectedError, status_code=400, model_name="scripted", body=words
        ) from OSError(words)

    async with bench_for(client, **ports(FunctionModel(refuse))) as bench:
        person = bench.conversation(Rules(durability=durability))
        await person.text("hello")
        turn = await person.turn(1)
        assert bench.outbox.bodies == [policy.APOLOGY]
        assert len(calls) == 1
        assert turn.outcome is Outcome.PARKED
        runs = [person.handle]
        if durability is Durability.REQUEST:
            runs.append(client.get_workflow_handle(f"{person.id}-reply-1-1"))
        assert [run for run in runs if words in (await run.fetch_history()).to_json()] == []
        assert turn.reason.startswith("agent_failed: the model's provider answered 400")


async def test_a_newer_text_stops_the_reply_at_once_under_interrupt(client: Client) -> None:
    started, seen = asyncio.Event(), []

    async def slow(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        seen.append(1)
        if len(seen) == 1:
            started.set()
            await asyncio.Event().wait()
        return ModelResponse(parts=[TextPart("both answered")])

    async with bench_for(client, **ports(FunctionModel(slow))) as bench:
        person = bench.conversation(Rules(durability=Durability.REQUEST, turn_policy=TurnPolicy.INTERRUPT))
        await person.text("one")
        await started.wait()
        await person.text("two")
        turn = await person.turn(1)
        assert (bench.outbox.bodies, turn.drafts) == (["both answered"], 2)


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
