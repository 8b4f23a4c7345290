"""Users' own flows: tools, questions to humans, flows inside flows, and which flow a conversation goes on with."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.integration.harness import Bench, Conversation, bench_for
from tests.support import flows, ledger
from tests.support.ports import eventually
from workflows import catalogue, policy
from workflows.approval import Decide
from workflows.contracts import Takeover
from workflows.conversation import ConversationWorkflow
from workflows.policy import FlowChange, Rules, TurnPolicy
from workflows.state import ApprovalRecord, Outcome, Verdict

SHOP = Rules(flow=flows.SHOP.ref)
SHORT = Rules(flow=flows.SHORT.ref)
UNKNOWN = Rules(flow="of-tomorrow@7")


@pytest.fixture
async def bench(client: Client) -> AsyncIterator[Bench]:
    catalogue.install(flows.ALL, "tests.support.flows:ALL")
    ledger.clear()
    async with bench_for(client, flows=flows.ALL) as bench:
        yield bench


async def _asked(person: Conversation) -> ApprovalRecord:
    """The question that waits for a human."""

    async def look() -> ApprovalRecord | None:
        return next((a for a in (await person.view()).approvals if a.verdict is Verdict.PENDING), None)

    found = await eventually(look)
    assert found is not None
    return found


async def test_a_tool_is_called_and_its_answer_reaches_the_person(bench: Bench) -> None:
    person = bench.conversation(SHOP)
    await person.text("pay 5")
    turn = await person.turn(1)

    assert bench.outbox.bodies == ["1: paid 5 as 1"]
    assert {s.name: s.status for s in turn.steps} == {
        "screen": "ran",
        "payment": "ran",
        "price": "ran",
        "ask": "skipped",
        "pay": "ran",
        "reply": "ran",
        "deliver": "ran",
    }
    assert (await person.view()).flow == "shop@1"


async def test_every_attempt_of_one_call_has_one_key_and_another_turn_has_another(bench: Bench) -> None:
    person = bench.conversation(SHOP)
    ledger.FAILURES.extend(["busy", "busy"])
    await person.text("pay 5")
    await person.turn(1)
    await person.text("pay 5")
    await person.turn(2)

    assert [len(ledger.CALLS), len(set(ledger.CALLS))] == [4, 2]
    assert bench.outbox.bodies == ["1: paid 5 as 1", "2: paid 5 as 2"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pay 99999", "tool_failed: over the limit"),
        ("pay 666", "ValueError: the tool raised an error that it did not classify"),
    ],
)
async def test_a_tool_that_fails_for_good_falls_back_and_never_repeats_what_was_written(
    bench: Bench, text: str, reason: str
) -> None:
    person = bench.conversation(SHOP)
    await person.text(text)
    await person.handle.execute_update(
        ConversationWorkflow.approve, Decide(token=(await _asked(person)).token, by="ana")
    )
    turn = await person.turn(1)

    assert [(s.status, s.reason) for s in turn.steps if s.name == "pay"] == [("fell back", reason)]
    assert bench.outbox.bodies == ["1: not paid (ana agreed)"]


@pytest.mark.parametrize(
    ("update", "answer", "verdict"),
    [
        (ConversationWorkflow.approve, "1: paid 200 as 1 (ana agreed)", Verdict.APPROVED),
        (ConversationWorkflow.decline, "1: not paid (ana did not)", Verdict.DECLINED),
    ],
    ids=["approve", "decline"],
)
async def test_a_step_waits_for_a_human_who_decides(
    bench: Bench, update: object, answer: str, verdict: Verdict
) -> None:
    person = bench.conversation(SHOP)
    await person.text("pay 200")
    asked = await _asked(person)
    assert (asked.step, asked.turn, asked.question) == ("ask", 1, "pay 200?")
    assert bench.outbox.bodies == []

    for _ in range(2):  # the same answer again is no error
        await person.handle.execute_update(update, Decide(token=asked.token, by="ana", note="ok"))  # type: ignore[call-overload]
    await person.turn(1)

    assert bench.outbox.bodies == [answer]
    [kept] = (await person.view()).approvals
    assert (kept.verdict, kept.by, kept.note) == (verdict, "ana", "ok")


async def test_nobody_answering_in_time_is_the_safe_default(bench: Bench) -> None:
    person = bench.conversation(SHORT)
    await person.text("pay 200")
    await person.turn(1)

    assert bench.outbox.bodies == ["1: not paid (nobody did not)"]
    [kept] = (await person.view()).approvals
    assert (kept.verdict, kept.by) == (Verdict.DECLINED, "")
    assert ledger.CALLS == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": "another"}, "approval_not_found"),
        ({"by": " "}, "invalid_input"),
        ({}, "conflict"),
    ],
    ids=["unknown", "nobody", "decided otherwise"],
)
async def test_an_answer_that_cannot_count_is_refused_and_says_why(
    bench: Bench, change: dict[str, str], code: str
) -> None:
    person = bench.conversation(SHORT)
    await person.text("pay 200")
    await person.turn(1)
    [asked] = (await person.view()).approvals
    given = Decide(**{"token": asked.token, "by": "ana", **change})
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await person.handle.execute_update(ConversationWorkflow.approve, given)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == code


async def test_a_newer_text_does_not_ask_the_human_again(bench: Bench) -> None:
    person = bench.conversation(SHOP)
    await person.text("pay 200")
    asked = await _asked(person)
    await person.text("please")
    await person.handle.execute_update(ConversationWorkflow.approve, Decide(token=asked.token, by="ana"))
    turn = await person.turn(1)

    assert (turn.drafts, len(turn.keys)) == (2, 2)
    # The draft that was dropped paid; the one that was sent asked for the same and got the same receipt.
    assert len(set(ledger.CALLS)) == 1
    assert bench.outbox.bodies == ["1: paid 200 as 1 (ana agreed)"]
    assert len((await person.view()).approvals) == 1


@pytest.mark.parametrize("how", ["stop", "takeover", "close"])
async def test_what_ends_a_turn_withdraws_its_question(bench: Bench, how: str) -> None:
    person = bench.conversation(SHOP)
    await person.text("pay 200")
    await _asked(person)
    if how == "stop":
        await person.text("STOP")
        outcome = Outcome.OPTED_OUT
    elif how == "takeover":
        await person.handle.execute_update(ConversationWorkflow.takeover, Takeover(assignee="ana"))
        outcome = Outcome.HELD
    else:
        await person.handle.execute_update(ConversationWorkflow.close)
        outcome = Outcome.PARKED
    turn = await person.turn(1)

    assert turn.outcome is outcome
    assert bench.outbox.bodies == []
    assert ledger.CALLS == []
    assert [a.verdict for a in (await person.view()).approvals] == [Verdict.WITHDRAWN]


async def test_what_a_flow_keeps_outlasts_continue_as_new(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "EVENT_BUDGET", 1)
    person = bench.conversation(SHOP)
    for number in range(1, 4):
        await person.text(f"pay {number}")
        await person.turn(number)

    assert [body.partition(":")[0] for body in bench.outbox.bodies] == ["1", "2", "3"]


async def test_a_conversation_goes_over_to_the_flow_of_a_later_text_at_the_end_of_its_turn(bench: Bench) -> None:
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    person.rules = SHOP
    await person.text("pay 5")
    await person.turn(2)

    assert bench.outbox.bodies == ["re: hello", "1: paid 5 as 1"]
    assert (await person.view()).flow == "shop@1"


async def test_a_conversation_keeps_its_flow_where_that_is_the_rule(bench: Bench) -> None:
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    person.rules = Rules(flow=flows.SHOP.ref, flow_change=FlowChange.CONVERSATION)
    await person.text("pay 5")
    await person.turn(2)

    assert bench.outbox.bodies == ["re: hello", "re: pay 5"]
    assert (await person.view()).flow == policy.DEFAULT_FLOW


async def test_an_unknown_flow_parks_the_turn_and_the_conversation_lives(bench: Bench) -> None:
    person = bench.conversation(UNKNOWN)
    await person.text("hello")
    turn = await person.turn(1)
    assert turn.outcome is Outcome.PARKED
    assert "of-tomorrow@7" in turn.reason
    await person.text("STOP")
    assert (await person.turn(2)).outcome is Outcome.OPTED_OUT
    person.rules = SHOP
    await person.text("START")
    await person.text("pay 5")
    await eventually(lambda: _sent(bench))
    assert bench.outbox.bodies == ["1: paid 5 as 1"]


async def _sent(bench: Bench) -> bool:
    return bool(bench.outbox.sent)


async def test_an_unknown_flow_leaves_a_conversation_with_its_own(bench: Bench) -> None:
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    person.rules = UNKNOWN
    await person.text("bye")
    await person.turn(2)

    assert bench.outbox.bodies == ["re: hello", "re: bye"]


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_known_and_unknown_flows_replays(client: Client, seed: int) -> None:
    """Without a cache every workflow task replays all that came before it."""
    catalogue.install(flows.ALL, "tests.support.flows:ALL")
    ledger.clear()
    draw = random.Random(seed)
    bench = Bench(client, f"flows-{uuid.uuid4().hex}", flows=flows.ALL)
    person = bench.conversation()
    refs = [policy.DEFAULT_FLOW, flows.SHOP.ref, flows.SHORT.ref, "of-tomorrow@7", "of-tomorrow@8"]
    expected, own = [], ""
    async with bench.worker(max_cached_workflows=0):
        for number in range(1, 7):
            ref, change = draw.choice(refs), draw.choice(list(FlowChange))
            person.rules = Rules(flow=ref, flow_change=change)
            await person.text(f"pay {number}")
            turn = await person.turn(number)
            wanted = own if own and change is FlowChange.CONVERSATION else ref
            own = wanted if "tomorrow" not in wanted else own
            expected.append((number, own, Outcome.ANSWERED if own else Outcome.PARKED))
            assert (number, (await person.view()).flow, turn.outcome) == expected[-1]
        history = await person.handle.fetch_history()
    # A machine that is busy may make a task late; what must not be is a history that the code does not make again.
    causes = {event.workflow_task_failed_event_attributes.cause for event in history.events}
    assert WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR not in causes


async def test_a_turn_parked_for_an_unknown_flow_replays_where_the_flow_is_known(client: Client) -> None:
    """A worker that learns of a flow later must not see another history than was made."""
    later = "shop@3"
    async with bench_for(client) as bench:
        person = bench.conversation(Rules(flow=later))
        await person.text("pay 5")
        assert (await person.turn(1)).outcome is Outcome.PARKED
    catalogue.install((flows.LATER,), "tests.support.flows:LATER")
    ledger.clear()
    async with Bench(client, bench.queue, flows=(flows.LATER,)).worker():
        assert (await person.turn(1)).outcome is Outcome.PARKED  # a cold cache: the query replays
        await person.text("pay 7")
        assert (await person.turn(2)).outcome is Outcome.ANSWERED
    assert len(ledger.CALLS) == 1


async def test_a_question_outlasts_the_worker_that_asked_it(client: Client) -> None:
    catalogue.install(flows.ALL, "tests.support.flows:ALL")
    ledger.clear()
    async with bench_for(client, flows=flows.ALL) as bench:
        person = bench.conversation(SHOP)
        await person.text("pay 200")
        asked = await _asked(person)
    async with bench.worker():
        assert await _asked(person) == asked
        await person.handle.execute_update(ConversationWorkflow.approve, Decide(token=asked.token, by="ana"))
        await person.turn(1)
    assert bench.outbox.bodies == ["1: paid 200 as 1 (ana agreed)"]
    assert len(ledger.CALLS) == 1


async def test_an_interrupted_question_is_the_same_question(bench: Bench) -> None:
    person = bench.conversation(Rules(flow=flows.SHOP.ref, turn_policy=TurnPolicy.INTERRUPT))
    await person.text("pay 200")
    first = await _asked(person)
    await person.text("quickly")
    await asyncio.sleep(0.2)
    assert (await _asked(person)).token == first.token
    await person.handle.execute_update(ConversationWorkflow.approve, Decide(token=first.token, by="ana"))
    await person.turn(1)
    assert bench.outbox.bodies == ["1: paid 200 as 1 (ana agreed)"]
