"""A conversation that goes on for ever: nothing lost, nothing doubled, and no run that grows without bound."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import WorkflowHistory

from agents.turn import Draft, Turn
from memory.item import MESSAGE
from messaging.model import DeliveryStatus
from tests.integration.harness import Bench, Conversation
from tests.support.ports import eventually
from workflows import policy
from workflows.budget import Budget
from workflows.conversation import ConversationWorkflow
from workflows.inbox import DeliveryUpdate
from workflows.policy import Rules, TurnPolicy

TURNS = 600
MAX_EVENTS_PER_RUN = 500
MAX_EVENTS_PER_TURN = 20
MAX_ACTIONS_PER_TURN = 5
MAX_ACTIONS_PER_RUN = 3  # its start or continuation, its idle timer, and a second of either


@dataclass(frozen=True, slots=True)
class Bill:
    """What the runs of a conversation cost. https://docs.temporal.io/cloud/actions says what an Action is."""

    events: list[int]
    by_type: Counter[str]
    turn_actions: int
    run_actions: int
    failures: Counter[str]

    @classmethod
    def of(cls, runs: list[WorkflowHistory]) -> Bill:
        types = Counter(EventType.Name(event.event_type) for run in runs for event in run.events)
        by_type = Counter({name.removeprefix("EVENT_TYPE_"): count for name, count in types.items()})
        batches = {
            (run.run_id, event.marker_recorded_event_attributes.workflow_task_completed_event_id)
            for run in runs
            for event in run.events
            if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
        }
        return cls(
            events=[len(run.events) for run in runs],
            by_type=by_type,
            turn_actions=by_type["WORKFLOW_EXECUTION_SIGNALED"] + by_type["ACTIVITY_TASK_SCHEDULED"] + len(batches),
            run_actions=by_type["WORKFLOW_EXECUTION_STARTED"] + by_type["TIMER_STARTED"],
            failures=Counter(
                WorkflowTaskFailedCause.Name(event.workflow_task_failed_event_attributes.cause)
                for run in runs
                for event in run.events
                if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
            ),
        )


async def _runs(person: Conversation) -> list[WorkflowHistory]:
    """The history of every run, oldest first."""
    runs, run_id = [], None
    while True:
        handle = person.bench.client.get_workflow_handle(person.id, run_id=run_id)
        run = await handle.fetch_history()
        runs.insert(0, run)
        run_id = run.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run_id:
            return runs


def _soon(look: Callable[[], bool], *, within: float = 30.0) -> object:
    async def asked() -> bool:
        return look()

    return eventually(asked, within=within, every=0.005)


def messages(bench: Bench) -> int:
    """How many are remembered; a summary is none."""
    return sum(item.kind == MESSAGE for item in bench.memory.items.values())


@pytest.mark.slow
async def test_six_hundred_turns_lose_nothing_and_no_run_grows_without_bound(bench: Bench) -> None:
    rules = Rules(sends_per_hour=0, loop_turns=0, budget=Budget(answers=0))  # as quick as two bots, and meant to be
    person = bench.conversation(rules)
    keys = []
    for number in range(1, TURNS + 1):
        keys.append(await person.text(f"text {number}"))
        await _soon(lambda wanted=number: len(bench.outbox.sent) >= wanted)

    expected = [f"re: text {n}" for n in range(1, TURNS + 1)]
    assert bench.outbox.bodies == expected
    await eventually(lambda: _ended(person, TURNS))

    runs = await _runs(person)
    bill = Bill.of(runs)
    told = (
        f"{len(bill.events)} runs of {bill.events} events; per turn {sum(bill.events) / TURNS:.2f} events and "
        f"{bill.turn_actions / TURNS:.2f} Actions, and {bill.run_actions / len(runs):.2f} Actions per run; "
        f"{dict(bill.by_type)} {dict(bill.failures)}"
    )
    print(told)
    assert len(runs) > 1, told
    assert max(bill.events) < MAX_EVENTS_PER_RUN, told
    assert sum(bill.events) <= MAX_EVENTS_PER_TURN * TURNS, told
    assert bill.turn_actions <= MAX_ACTIONS_PER_TURN * TURNS, told
    assert bill.run_actions <= MAX_ACTIONS_PER_RUN * len(runs), told
    # A text that arrives while a run hands over makes the server refuse the hand-over, once; nothing else may fail.
    assert set(bill.failures) <= {"WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND"}, told

    repeated = keys[:3] + keys[300:303] + keys[-3:]
    assert len(keys) <= policy.SEEN_KEYS
    await asyncio.gather(*(person.text("a webhook comes again", key=key) for key in repeated))
    await person.text("last")
    await person.turn(TURNS + 1)
    assert bench.outbox.bodies == [*expected, "re: last"]
    assert (await person.view()).turn == TURNS + 1


@pytest.mark.parametrize("listed", [False, True], ids=["", "kept in lists"])
async def test_a_turn_by_itself_costs_no_more_than_it_should(bench: Bench, listed: bool) -> None:
    person, count = bench.conversation(), 10
    person.listed = listed
    for number in range(1, count + 1):
        await person.text(f"text {number}")
        # No query here: one that meets a running local activity makes the server give out one more workflow task.
        await _soon(lambda wanted=2 * number: messages(bench) == wanted)
        await asyncio.sleep(0.1)

    bill = Bill.of(await _runs(person))
    told = f"per turn {sum(bill.events) / count} events and {bill.turn_actions / count} Actions; {dict(bill.by_type)}"
    print(told)
    assert sum(bill.events) <= MAX_EVENTS_PER_TURN * count, told
    assert bill.turn_actions <= MAX_ACTIONS_PER_TURN * count, told


async def _ended(person: Conversation, turn: int) -> bool:
    record = await person.last_turn()
    return record is not None and record.number == turn


# A budget small enough for every turn to continue as new: what holds across one must hold across each.
@pytest.fixture
def always_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "EVENT_BUDGET", 1)


@pytest.mark.usefixtures("always_new")
async def test_texts_sent_at_once_keep_their_order_through_every_continuation(bench: Bench) -> None:
    person = bench.conversation(Rules(turn_policy=TurnPolicy.ENQUEUE))
    count = 6  # the server spaces continuations a second apart
    for number in range(count):
        await person.text(f"text {number}")
    await person.turn(count)

    assert bench.outbox.bodies == [f"re: text {n}" for n in range(count)]
    assert len(await _runs(person)) >= count // 2


@pytest.mark.usefixtures("always_new")
async def test_what_was_said_reported_and_refused_is_carried_over(bench: Bench) -> None:
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    await person.report(DeliveryUpdate(message_sid="SM1", status=DeliveryStatus.READ))
    await person.text("STOP")
    await person.turn(2)
    await person.text("are you there?")
    await person.turn(3)

    assert bench.outbox.bodies == ["re: hello"]
    assert [(m.body, m.status) for m in (await person.transcript()).messages] == [
        ("hello", "answered"),
        ("re: hello", "read"),
        ("STOP", "opted_out"),
        ("are you there?", "opted_out"),
    ]


@pytest.mark.usefixtures("always_new")
async def test_closing_while_an_answer_is_written_closes_although_the_run_is_long(bench: Bench) -> None:
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def slow(turn: Turn) -> Draft:
        writing.set()
        await go_on.wait()
        return Draft(text="too late")

    bench.agent.reply_with = slow
    person = bench.conversation()
    await person.text("hello")
    await writing.wait()
    closed = await person.handle.execute_update(ConversationWorkflow.close)
    go_on.set()

    assert closed.state == "closed"
    # Hangs, and fails, where the conversation goes on in a new run that knows nothing of having been closed.
    async with asyncio.timeout(15):
        await person.handle.result()
    assert bench.outbox.bodies == []
