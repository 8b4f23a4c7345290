"""A turn is one trace across Temporal, whatever happens to it on the way: replays, coalescing, continue-as-new."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from temporalio.client import Client

from agents.turn import Draft, Turn
from messaging.model import Address, EventKind, InboundEvent, Message
from runtime.gateway import Gateway
from runtime.intake import Intake, _spooled
from runtime.spool import Spool
from runtime.temporal import CONVERTER
from runtime.tracing import HEADER, Tracing
from tests.integration.harness import Agent, Bench, Conversation
from tests.support.ports import eventually
from tests.support.traces import Traces, kept_traces
from workflows import policy
from workflows.contracts import OperatorReply
from workflows.policy import Rules, TurnPolicy

# The steps of the default flow for a plain text, and the activities of those that have one.
STEPS = ("screen", "listen", "afford", "recall", "reply", "check", "deliver", "learn", "remember")
TURN = [
    ("SignalWithStartWorkflow:ConversationWorkflow", "turn"),
    ("step deliver", "RunActivity:deliver"),
    ("step learn", "RunActivity:learn"),
    ("step recall", "RunActivity:recall"),
    ("step remember", "RunActivity:remember"),
    ("step reply", "RunActivity:reply"),
]


@pytest.fixture
def traces() -> Iterator[Traces]:
    with kept_traces() as traces:
        yield traces


@pytest.fixture
async def traced(temporal_address: str, traces: Traces) -> AsyncIterator[Bench]:
    """Every workflow task replays from the start, and nothing of it may show twice."""
    client = await Client.connect(temporal_address, data_converter=CONVERTER, interceptors=[Tracing(traces.provider)])
    bench = Bench(client, f"queue-{uuid.uuid4().hex}")
    async with bench.worker(max_cached_workflows=0, max_concurrent_workflow_task_polls=1):
        yield bench


async def said(traces: Traces, person: Conversation, body: str) -> ReadableSpan:
    """Text within a span of one's own, as a webhook does."""
    with traces.provider.get_tracer("test").start_as_current_span(f"webhook {body}"):
        await person.text(body)
    [root] = traces.named(f"webhook {body}")
    return root


async def ended(traces: Traces, count: int) -> list[ReadableSpan]:
    async def look() -> bool:
        return len(traces.named("turn")) >= count

    await eventually(look, within=30)
    return traces.named("turn")


async def test_a_turn_is_one_trace_from_the_webhook_to_each_activity_though_it_is_replayed(
    traced: Bench, traces: Traces
) -> None:
    person = traced.conversation()
    root = await said(traces, person, "hello")
    [turn] = await ended(traces, 1)

    tree = traces.tree(root)
    assert ("webhook hello", "SignalWithStartWorkflow:ConversationWorkflow") in tree
    assert [pair for pair in tree if pair in TURN] == sorted(TURN)
    ran = {name.removeprefix("step ") for parent, name in tree if parent == "turn"}
    assert ran <= set(STEPS)
    assert {"screen", "reply", "deliver", "remember"} <= ran
    assert not [name for parent, name in tree if parent == "lost"]
    assert len({span.context.span_id for span in traces.finished}) == len(traces.finished), "a replay told one again"
    assert dict(turn.attributes or {}) == {
        "conversation_id": person.id,
        "turn": 1,
        "outcome": "answered",
        "texts": 1,
        "drafts": 1,
        "channel": "sms",
        "provider": "outbox",
    }
    activities = [span for span in traces.finished if span.name.startswith("RunActivity:")]
    assert {span.attributes["conversation_id"] for span in activities if span.attributes} == {person.id}


async def test_a_turn_of_several_texts_is_in_the_trace_of_the_first_and_links_to_all_others(
    traced: Bench, traces: Traces
) -> None:
    release = asyncio.Event()

    async def slow(turn: Turn) -> Draft:
        if len(traced.agent.turns) == 1:
            await release.wait()
        return Draft(text=f"re: {turn.text}")

    traced.agent.reply_with = slow
    person = traced.conversation()
    first = await said(traces, person, "one")
    await eventually(lambda: _given(traced.agent, 1))
    others = [await said(traces, person, body) for body in ("two", "three")]
    release.set()
    [turn] = await ended(traces, 1)

    assert turn.context.trace_id == first.context.trace_id
    assert [link.context.trace_id for link in turn.links] == [other.context.trace_id for other in others]
    assert {link.context.span_id for link in turn.links} <= {span.context.span_id for span in traces.finished}
    assert not [name for parent, name in traces.tree(first) if parent == "lost"]


async def test_a_text_that_waits_while_the_run_continues_as_new_keeps_its_trace(
    traced: Bench, traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "EVENT_BUDGET", 1)

    async def slow(turn: Turn) -> Draft:
        await asyncio.sleep(0.5)
        return Draft(text=f"re: {turn.text}")

    traced.agent.reply_with = slow
    person = traced.conversation(Rules(turn_policy=TurnPolicy.ENQUEUE))
    roots = [await said(traces, person, body) for body in ("one", "two", "three")]
    turns = await ended(traces, 3)

    assert [turn.context.trace_id for turn in turns] == [root.context.trace_id for root in roots]
    assert len({span.attributes["temporalRunID"] for span in traces.named("RunActivity:reply") if span.attributes}) > 1
    assert not [name for root in roots for parent, name in traces.tree(root) if parent == "lost"]


async def test_a_text_that_waited_in_the_spool_is_in_the_trace_of_its_webhook(
    traced: Bench, traces: Traces, tmp_path: Path
) -> None:
    gateway = Gateway(client=traced.client, task_queue=traced.queue, id_key=b"only for the tests", rules=Rules())
    event = InboundEvent(
        provider="outbox",
        event_key=uuid.uuid4().hex,
        kind=EventKind.MESSAGE_ADDED,
        conversation_sid=uuid.uuid4().hex,
        received_at=datetime.now(UTC),
        message=Message(sid="SM1", body="hello"),
        theirs=Address.parse("+15550100031"),
    )
    async with aclosing(Spool(tmp_path, megabytes=1)) as spool:
        with traces.provider.get_tracer("test").start_as_current_span("webhook"):
            await spool.put([_spooled(event, gateway.conversation_id(event))])
        assert await Intake(gateway=gateway, spool=spool).drain() == 1
    [turn] = await ended(traces, 1)

    [root] = traces.named("webhook")
    assert turn.context.trace_id == root.context.trace_id
    assert ("webhook", "SignalWithStartWorkflow:ConversationWorkflow") in traces.tree(root)
    assert turn.attributes is not None
    assert turn.attributes["conversation_id"] == gateway.conversation_id(event)


async def test_a_reply_of_an_operator_is_a_trace_from_the_request_to_the_send(traced: Bench, traces: Traces) -> None:
    person = traced.conversation()
    await said(traces, person, "hello")
    await ended(traces, 1)
    with traces.provider.get_tracer("test").start_as_current_span("POST"):
        await person.handle.execute_update("reply", OperatorReply(key="one", author="ana", text="It is me."))

    async def sent() -> bool:
        return ("StartWorkflowUpdate:reply", "RunActivity:deliver") in traces.tree(traces.named("POST")[0])

    assert await eventually(sent)


async def test_without_a_trace_no_header_is_written(temporal_address: str) -> None:
    client = await Client.connect(temporal_address, data_converter=CONVERTER, interceptors=[Tracing()])
    bench = Bench(client, f"queue-{uuid.uuid4().hex}")
    async with bench.worker():
        person = bench.conversation()
        await person.text("hello")
        await person.turn(1)
        history = await person.handle.fetch_history()

    assert HEADER.encode() not in b"".join(event.SerializeToString() for event in history.events)


async def _given(agent: Agent, turns: int) -> bool:
    return len(agent.turns) >= turns
