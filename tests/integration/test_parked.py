"""Turns that failed: parked with their reason, listed, run again or let go by a human, and in nobody's way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from click.testing import Result
from temporalio.exceptions import ApplicationError
from typer.testing import CliRunner

from agents.engine import AgentFailed
from agents.turn import Draft, Turn
from cli.main import app
from messaging import errors
from runtime.directory import Directory
from tests.integration.harness import Bench, Conversation
from tests.integration.test_api import api
from tests.support.ports import eventually
from workflows import parked, policy
from workflows.context import TurnContext
from workflows.contracts import ConversationStart, Route
from workflows.conversation import ConversationWorkflow
from workflows.fate import COALESCED, WAITING, Asked, Fate
from workflows.inbox import Inbound
from workflows.policy import Rules, TurnPolicy
from workflows.state import ConversationState

POISON = "poison"


async def picky(turn: Turn) -> Draft:
    """An agent that one text is too much for."""
    if POISON in turn.text:
        raise AgentFailed("unreadable", retryable=False)
    return Draft(text=f"re: {turn.text}")


@pytest.fixture
async def http(
    bench: Bench, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    async with api(temporal_task_queue=bench.queue) as http:
        yield http


@pytest.fixture(autouse=True)
async def _nobody_is_left(bench: Bench) -> AsyncIterator[None]:
    """Who is parked stays open, and in the list of the tests to come."""
    yield
    query = f"TaskQueue = '{bench.queue}' AND ExecutionStatus = 'Running'"
    async for left in bench.client.list_workflows(query):
        await bench.client.get_workflow_handle(left.id).terminate()


async def parked_one(bench: Bench, rules: Rules | None = None, *texts: str) -> Conversation:
    bench.agent.reply_with = picky
    person = bench.conversation(rules)
    person.listed = True
    for number, text in enumerate(texts or (POISON,), start=1):
        await person.text(text)
        await person.turn(number)
    return person


async def listed(http: httpx.AsyncClient, person: Conversation) -> list[dict[str, Any]]:
    items = (await http.get("/v1/parked", params={"limit": 200})).json()["items"]
    return [item for item in items if item["conversation_id"] == person.id]


async def fates(person: Conversation, *keys: str) -> dict[str, Fate]:
    found = await person.handle.query(ConversationWorkflow.fates, Asked(keys=keys))
    return dict(found.found)


async def test_a_poison_text_is_parked_with_its_reason_and_the_next_is_answered(
    http: httpx.AsyncClient, bench: Bench
) -> None:
    person = await parked_one(bench, None, POISON, "hello")
    assert bench.outbox.bodies == [policy.APOLOGY, "re: hello"]
    [item] = await eventually(lambda: listed(http, person))
    assert (item["turn"], item["texts"], item["sent"]) == (1, 1, False)
    assert item["reason"] == "agent_failed: unreadable"
    assert POISON not in str(item)
    assert [alert.kind for alert in (await person.view()).alerts] == ["parked"]
    assert await fates(person, f"{person.id}-in-1", f"{person.id}-in-2", "other") == {
        f"{person.id}-in-1": Fate(state="parked", turn=1, reason="agent_failed: unreadable"),
        f"{person.id}-in-2": Fate(state="answered", turn=2),
    }


async def test_it_is_run_again_as_a_turn_of_its_own(http: httpx.AsyncClient, bench: Bench) -> None:
    person = await parked_one(bench, None, POISON, "hello")
    bench.agent.reply_with = lambda turn: _draft(f"now: {turn.text}")
    answer = await http.post(f"/v1/conversations/{person.id}/turns/1/retry", json={"by": "ana"})
    assert (answer.status_code, answer.json()["parked"]) == (200, [])
    record = await person.turn(3)
    assert (record.outcome, bench.outbox.bodies[-1]) == ("answered", f"now: {POISON}")
    messages = (await person.transcript()).messages
    [text] = [message for message in messages if message.body == POISON]
    assert (text.status, text.turn) == ("answered", 3)
    assert (await fates(person, f"{person.id}-in-1")).popitem()[1] == Fate(state="answered", turn=3)
    await eventually(lambda: _not(listed(http, person)))
    again = await http.post(f"/v1/conversations/{person.id}/turns/1/retry", json={"by": "ana"})
    assert (again.status_code, again.json()["code"]) == (404, "turn_not_parked")


async def test_one_that_fails_again_is_parked_again_and_takes_no_newer_text_with_it(bench: Bench) -> None:
    person = await parked_one(bench)
    gate = asyncio.Event()

    async def slow(turn: Turn) -> Draft:
        await gate.wait()
        return await picky(turn)

    bench.agent.reply_with = slow
    await Directory(bench.client).retry_turn(person.id, parked.Retry(turn=1, by="ana"))
    await eventually(lambda: _is(len(bench.agent.turns) == 2))  # the retry is being written
    await person.text("newer")
    assert (await fates(person, f"{person.id}-in-2")).popitem()[1] == Fate(state=WAITING)
    gate.set()
    await person.turn(3)
    assert [one.turn for one in (await person.view()).parked] == [2]
    assert bench.outbox.bodies == [policy.APOLOGY, policy.APOLOGY, "re: newer"]


async def test_it_is_let_go_by_name(http: httpx.AsyncClient, bench: Bench) -> None:
    person = await parked_one(bench)
    answer = await http.post(f"/v1/conversations/{person.id}/turns/1/drop", json={"by": "ana"})
    assert (answer.status_code, answer.json()["parked"]) == (200, [])
    record = await person.last_turn()
    assert record is not None
    assert (record.outcome, record.reason.partition(";")[0]) == ("dropped", "dropped by ana")
    assert (await fates(person, f"{person.id}-in-1")).popitem()[1].state == "dropped"
    [text] = [m for m in (await person.transcript()).messages if m.direction == "inbound"]
    assert text.status == "dropped"


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("turns/7/retry", {"by": "ana"}, 404, "turn"),
        ("turns/7/drop", {"by": "ana"}, 404, "turn"),
        ("turns/0/drop", {"by": "ana"}, 422, "turn"),
        ("turns/1/drop", {}, 422, "by"),
        ("turns/1/retry", {"by": " "}, 422, "by"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_the_field(
    http: httpx.AsyncClient, bench: Bench, path: str, body: dict[str, str], status: int, said: str
) -> None:
    person = await parked_one(bench)
    answer = await http.post(f"/v1/conversations/{person.id}/{path}", json=body)
    assert answer.status_code == status
    assert said in answer.json()["detail"]


async def test_an_answer_that_may_have_left_is_written_again_only_on_purpose(
    http: httpx.AsyncClient, bench: Bench
) -> None:
    bench.outbox.fail_after = [errors.MessageFailed("a strange answer", ambiguous=True)]
    bench.outbox.fail_look = [errors.InternalError("no look either")]
    person = bench.conversation()
    await person.text("hello")
    assert (await person.turn(1)).outcome == "parked"
    path = f"/v1/conversations/{person.id}/turns/1/retry"
    refused = await http.post(path, json={"by": "ana"})
    assert (refused.status_code, "even_if_sent" in refused.json()["detail"]) == (409, True)
    assert (await http.post(path, json={"by": "ana", "even_if_sent": True})).status_code == 200
    assert (await person.turn(2)).outcome == "answered"


@pytest.mark.parametrize(("word", "said"), [("STOP", "opted out"), ("", "release it first")])
async def test_nothing_is_run_again_for_who_opted_out_or_has_a_human(
    http: httpx.AsyncClient, bench: Bench, word: str, said: str
) -> None:
    person = await parked_one(bench)
    if word:
        await person.text(word)
        await person.turn(2)
    else:
        await Directory(bench.client).takeover(person.id, "ana")
    refused = await http.post(f"/v1/conversations/{person.id}/turns/1/retry", json={"by": "ana"})
    assert (refused.status_code, said in refused.json()["detail"]) == (409, True)


async def test_texts_that_were_answered_together_say_so(bench: Bench) -> None:
    gate = asyncio.Event()

    async def slow(turn: Turn) -> Draft:
        await gate.wait()
        return Draft(text=turn.text)

    bench.agent.reply_with = slow
    person = bench.conversation(Rules(turn_policy=TurnPolicy.COALESCE))
    keys = [await person.text(f"text {number}") for number in range(3)]
    gate.set()
    await person.turn(1)
    found = await fates(person, *keys)
    assert sorted(fate.state for fate in found.values()) == ["answered", COALESCED, COALESCED]
    assert found[keys[0]].state == "answered"
    assert {fate.turn for fate in found.values()} == {1}


async def test_one_that_waits_for_a_human_outlives_idleness_and_continue_as_new(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "EVENT_BUDGET", 1)
    person = await parked_one(bench, Rules(idle_close=0.2))
    await asyncio.sleep(0.5)
    assert [one.turn for one in (await person.view()).parked] == [1]
    assert (await person.handle.describe()).status.name == "RUNNING"  # type: ignore[union-attr]
    await Directory(bench.client).drop_turn(person.id, parked.Drop(turn=1, by="ana"))
    state = await person.handle.result()
    assert state["parked"] == []


async def test_they_are_listed_and_decided_in_a_terminal(
    bench: Bench, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    person = await parked_one(bench)

    async def messaging(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["parked", *arguments])

    async def told() -> list[dict[str, Any]]:
        items = json.loads((await messaging("list", "--json")).output)["items"]
        return [item for item in items if item["conversation_id"] == person.id]

    [item] = await eventually(told)
    assert (item["turn"], item["texts"], item["sent"]) == (1, 1, False)
    assert person.id in (await messaging("list")).output
    refused = await messaging("retry", person.id, "9", "--by", "ana")
    assert isinstance(refused.exception, ValueError)
    assert "not parked" in str(refused.exception)
    assert (await messaging("retry", person.id, "1", "--by", "ana")).output == f"retried: turn 1 of {person.id}\n"
    await person.turn(2)
    done = await messaging("drop", person.id, "2", "--by", "ana", "--json")
    assert json.loads(done.output) == {"conversation_id": person.id, "turn": 2, "done": "dropped"}
    assert (await messaging("drop", person.id, "0", "--by", "ana")).exit_code == 2


def test_what_is_kept_of_parked_texts_is_bounded() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    state = ConversationState(created_at=now, updated_at=now)
    start = ConversationStart(
        conversation_id="c",
        contact_id="p",
        channel="sms",
        route=Route(provider="x", conversation_sid="s"),
        created_at=now,
    )
    text = Inbound(key="k", sid="s", text="x" * policy.MAX_TEXT, at=now)
    for number in range(policy.PARKED_TURNS + 5):
        state.turn = number + 1
        turn = TurnContext(start=start, state=state, texts=(text,), contact_id="p", reason="r" * 1000)
        parked.park(turn, ["k"], [replace(text, key=f"k{number}")], now)
    assert len(state.parked) == policy.PARKED_TURNS
    assert sum(len(t.text) for one in state.parked for t in one.texts) <= policy.PARKED_CHARS
    assert [bool(one.texts) for one in state.parked][-1]
    with pytest.raises(ApplicationError, match="not kept"):
        parked.check_retry(state, parked.Retry(turn=state.parked[0].turn, by="ana"))
    state.forget()
    assert state.is_blank()


async def _draft(text: str) -> Draft:
    return Draft(text=text)


async def _is(value: bool) -> bool:
    return value


async def _not(found: Any) -> bool:
    return not await found
