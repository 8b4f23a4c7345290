"""Records the histories that `test_replay` replays, anew, on a real server: `python -m tests.replay.record`.

Record when the workflow is meant to behave differently, never to make a failing replay pass: a replay that fails is a
conversation in the middle of which a deploy would get stuck.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter

from agents.turn import Draft, Turn
from memory.store import MemoryUnavailable
from messaging import errors
from messaging.model import Address, Binding, Channel, DeliveryStatus, Participant
from runtime import flows
from tests.integration.harness import Bench, Conversation, bench_for
from tests.support.ports import eventually
from tests.support.server import temporal_server
from workflows import catalogue
from workflows.approval import Decide
from workflows.contracts import NewNote, OperatorReply, Takeover
from workflows.conversation import ConversationWorkflow
from workflows.flow import Flow
from workflows.inbox import DeliveryUpdate
from workflows.parked import Drop, Retry
from workflows.policy import ConsentScope, Rules, TurnPolicy
from workflows.state import Verdict

HISTORIES = Path(__file__).with_name("histories")


class Slow:
    """An agent whose first draft waits until it is let go."""

    def __init__(self) -> None:
        self.writing = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, turn: Turn) -> Draft:
        self.writing.set()
        await self.go_on.wait()
        return Draft(text=f"re: {turn.text}")


async def single_turn(bench: Bench, person: Conversation) -> None:
    await person.text("hello")
    await person.turn(1)
    await person.report(DeliveryUpdate(message_sid="SM1", status=DeliveryStatus.READ))
    await person.report(DeliveryUpdate(message_sid="SM1", status=DeliveryStatus.DELIVERED))


async def three_texts_while_the_agent_writes(bench: Bench, person: Conversation) -> None:
    bench.agent.reply_with = slow = Slow()
    await person.text("one")
    await slow.writing.wait()
    await person.text("two")
    await person.text("three")
    slow.go_on.set()
    await person.turn(_turns(person.rules))


def _turns(rules: Rules) -> int:
    return 3 if rules.turn_policy is TurnPolicy.ENQUEUE else 1


async def interrupted(bench: Bench, person: Conversation) -> None:
    writing = asyncio.Event()

    async def never_the_first_time(turn: Turn) -> Draft:
        if not writing.is_set():
            writing.set()
            await asyncio.Event().wait()
        return Draft(text=f"re: {turn.text}")

    bench.agent.reply_with = never_the_first_time
    await person.text("one")
    await writing.wait()
    await person.text("two")
    await person.turn(1)


async def agent_failed(bench: Bench, person: Conversation) -> None:
    async def broken(turn: Turn) -> Draft:
        if "poison" in turn.text:
            raise ValueError("bad")
        return Draft(text="fine")

    bench.agent.reply_with = broken
    await person.text("poison")
    await person.turn(1)
    await person.text("next")
    await person.turn(2)


async def parked_run_again_and_dropped(bench: Bench, person: Conversation) -> None:
    await agent_failed(bench, person)
    await person.handle.execute_update(ConversationWorkflow.retry_turn, Retry(turn=1, by="ana"))
    await person.turn(3)
    await person.handle.execute_update(ConversationWorkflow.drop_turn, Drop(turn=3, by="ana"))
    await person.text("and on")
    await person.turn(4)


async def provider_ambiguous(bench: Bench, person: Conversation) -> None:
    bench.outbox.fail_after = [errors.Timeout("read", ambiguous=True)]
    await person.text("hello")
    await person.turn(1)


async def provider_refused(bench: Bench, person: Conversation) -> None:
    bench.outbox.fail_before = [errors.RecipientBlocked("opted out", provider_code=21610)]
    await person.text("hello")
    await person.turn(1)


async def long_answer(bench: Bench, person: Conversation) -> None:
    async def long(_: Turn) -> Draft:
        return Draft(text=" ".join(f"Sentence number {n}." for n in range(150)))

    bench.agent.reply_with = long
    await person.text("tell me all")
    await person.turn(1)


async def stopped_and_started(bench: Bench, person: Conversation) -> None:
    bench.agent.reply_with = slow = Slow()
    await person.text("hello")
    await slow.writing.wait()
    await person.text("STOP")
    slow.go_on.set()
    await person.turn(2)
    for number, body in enumerate(("are you there?", "START", "and now?"), start=3):
        await person.text(body)
        await person.turn(number)


async def taken_over(bench: Bench, person: Conversation) -> None:
    bench.agent.reply_with = slow = Slow()
    await person.text("hello")
    await slow.writing.wait()
    await person.handle.execute_update(ConversationWorkflow.takeover, Takeover(assignee="ana"))
    slow.go_on.set()
    await person.turn(1)
    await person.text("hello?")
    await person.turn(2)
    await person.handle.execute_update(ConversationWorkflow.release)
    await person.text("back?")
    await person.turn(3)


async def memory_away(bench: Bench, person: Conversation) -> None:
    bench.memory.away = MemoryUnavailable("refused")
    await person.text("hello")
    await person.turn(1)
    bench.memory.away = None

    async def is_written() -> bool:
        return (await person.view()).unremembered == 0

    await eventually(is_written)


async def closed_by_an_operator(bench: Bench, person: Conversation) -> None:
    await person.text("hello")
    await person.turn(1)
    await person.handle.execute_update(ConversationWorkflow.close)
    await person.handle.result()


async def idle_and_revived(bench: Bench, person: Conversation) -> None:
    await person.text("my name is Ana")
    await person.turn(1)
    first = await person.handle.describe()

    async def is_closed() -> bool:
        return (await person.handle.describe()).status is WorkflowExecutionStatus.COMPLETED

    await eventually(is_closed)
    await person.text("again", previous_run_id=first.run_id)
    await person.turn(2)


async def continued(bench: Bench, person: Conversation) -> None:
    async def short(_: Turn) -> Draft:
        return Draft(text="ok")

    bench.agent.reply_with = short
    run_ids, number = set[str](), 0
    while len(run_ids) < 2:
        number += 1
        await person.text(f"text {number}")
        await person.turn(number)
        run_ids.add((await person.handle.describe()).run_id)
    await person.text("one more")
    await person.turn(number + 1)


async def _decided(person: Conversation, update: Any) -> None:
    async def asked() -> str | None:
        waiting = [a.token for a in (await person.view()).approvals if a.verdict is Verdict.PENDING]
        return waiting[0] if waiting else None

    token = await eventually(asked)
    assert token is not None
    await person.handle.execute_update(update, Decide(token=token, by="ana"))


async def orders(bench: Bench, person: Conversation) -> None:
    for number, text in enumerate(("where is my parcel?", "4712", "refund 4711 please"), start=1):
        await person.text(text)
        await person.turn(number)
    await person.text("refund 4713 please")
    await _decided(person, ConversationWorkflow.approve)
    await person.turn(4)


async def order_declined_after_a_newer_text(bench: Bench, person: Conversation) -> None:
    await person.text("refund 4713 please")

    async def asked() -> bool:
        return bool((await person.view()).approvals)

    await eventually(asked)
    await person.text("quickly")
    await _decided(person, ConversationWorkflow.decline)
    await person.turn(1)


async def appointment(bench: Bench, person: Conversation) -> None:
    for number, text in enumerate(("an appointment please", "Tuesday", "at 10", "yes"), start=1):
        await person.text(text)
        await person.turn(number)


async def nobody_decided_in_time(bench: Bench, person: Conversation) -> None:
    await person.text("pay 200")
    await person.turn(1)


async def unknown_flow(bench: Bench, person: Conversation) -> None:
    await person.text("hello")
    await person.turn(1)
    person.rules = Rules()
    await person.text("hello again")
    await person.turn(2)


async def learnt_and_summed_up(bench: Bench, person: Conversation) -> None:
    await person.text("I live in Porto")
    await person.turn(1)
    for number in range(2, 9):
        await person.text(f"tell me about thing {number}")
        await person.turn(number)


async def one_of_two_leaves(bench: Bench, group: Conversation) -> None:
    bench.outbox.people = {
        f"MB-{name}": Participant(binding=Binding(type=Channel.SMS, address=Address.parse(f"+1555010000{number}")))
        for number, name in enumerate(("ana", "bo"))
    }
    bench.agent.reply_with = slow = Slow()
    await group.text("hello", author="ana", participant="MB-ana")
    await slow.writing.wait()
    await group.text("STOP", author="bo", participant="MB-bo")
    slow.go_on.set()
    await group.turn(1)
    await group.text("STOP", author="ana", participant="MB-ana")
    await group.turn(2)


async def a_human_answers(bench: Bench, person: Conversation) -> None:
    await person.text("hello")
    await person.turn(1)
    ask = person.handle.execute_update
    await ask(ConversationWorkflow.takeover, Takeover(assignee="ana"))
    await ask(ConversationWorkflow.note, NewNote(author="ana", text="a regular"))
    await ask(ConversationWorkflow.reply, OperatorReply(author="ana", text="hello, it is me", key="1"))
    await person.text("oh, hello")
    await person.turn(2)
    await ask(ConversationWorkflow.release)
    await person.text("back?")
    await person.turn(3)


async def nudged(bench: Bench, person: Conversation) -> None:
    await person.text("hello")
    await person.turn(1)

    async def is_nudged() -> bool:
        return len(bench.outbox.sent) == 2  # the answer and the nudge

    await eventually(is_nudged)
    await person.text("yes")
    await person.turn(2)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A conversation to record. Each of its `runs` is a history of its own.

    A `listed` one keeps search attributes up to date. `flows` is where its flow is, as MESSAGING_FLOW would name it.
    """

    drive: Callable[[Bench, Conversation], Awaitable[None]]
    rules: Rules = field(default_factory=Rules)
    runs: int = 1
    listed: bool = False
    flows: str = ""


EXAMPLES = Path(__file__).parents[2] / "examples"
ORDERS, APPOINTMENTS, SHOP = "orders.flow:FLOW", "appointments.flow:FLOW", "tests.support.flows:ALL"
FLOWS = (ORDERS, APPOINTMENTS, SHOP)


SCENARIOS = {
    "single-turn": Scenario(single_turn),
    "learnt": Scenario(learnt_and_summed_up),
    "coalesced": Scenario(three_texts_while_the_agent_writes),
    "enqueued": Scenario(three_texts_while_the_agent_writes, Rules(turn_policy=TurnPolicy.ENQUEUE)),
    "interrupted": Scenario(interrupted, Rules(turn_policy=TurnPolicy.INTERRUPT)),
    "agent-failed": Scenario(agent_failed),
    "parked": Scenario(parked_run_again_and_dropped, listed=True),
    "provider-ambiguous": Scenario(provider_ambiguous),
    "provider-refused": Scenario(provider_refused),
    "long-answer": Scenario(long_answer),
    "stopped-and-started": Scenario(stopped_and_started),
    "taken-over": Scenario(taken_over),
    "memory-away": Scenario(memory_away),
    "closed": Scenario(closed_by_an_operator),
    "idle-and-revived": Scenario(idle_and_revived, Rules(idle_close=1), runs=2),
    "continued": Scenario(continued, runs=2),
    "listed": Scenario(taken_over, listed=True),
    "orders": Scenario(orders, Rules(flow="orders@1"), flows=ORDERS),
    "order-declined": Scenario(order_declined_after_a_newer_text, Rules(flow="orders@1"), flows=ORDERS),
    "appointment": Scenario(appointment, Rules(flow="appointments@1"), flows=APPOINTMENTS),
    "nobody-decided": Scenario(nobody_decided_in_time, Rules(flow="shop@2"), flows=SHOP),
    "one-of-two-leaves": Scenario(one_of_two_leaves),
    "a-human-answers": Scenario(a_human_answers, Rules(consent=ConsentScope.CONTACT)),
    "rejected": Scenario(three_texts_while_the_agent_writes, Rules(turn_policy=TurnPolicy.REJECT)),
    "nudged": Scenario(nudged, Rules(nudge_after=0.5, quiet_period=0.2)),
    "unknown-flow": Scenario(unknown_flow, Rules(flow="of-tomorrow@7")),
}


def install_flows() -> dict[str, tuple[Flow[Any], ...]]:
    """Let this process run every flow that a scenario has."""
    for name in ("orders", "appointments"):
        if (place := str(EXAMPLES / name)) not in sys.path:
            sys.path.insert(0, place)
    found = {path: flows.load(path) for path in FLOWS}
    for path, installed in found.items():
        catalogue.install(installed, path)
    return found


def files(name: str) -> list[Path]:
    """Where the histories of a scenario are, one for each of its runs, oldest first."""
    runs = SCENARIOS[name].runs
    return [HISTORIES / (f"{name}.json" if runs == 1 else f"{name}-{n}.json") for n in range(1, runs + 1)]


async def record(client: Client, name: str) -> None:
    """Drive one scenario and write its histories."""
    scenario = SCENARIOS[name]
    installed = install_flows().get(scenario.flows, ())
    async with bench_for(client, flows=installed) as bench:
        person = Conversation(bench, f"{name}-{uuid.uuid4().hex}", scenario.rules, listed=scenario.listed)
        await scenario.drive(bench, person)

        async def all_runs() -> list[str]:
            listed = [run async for run in client.list_workflows(f"WorkflowId = '{person.id}'")]
            listed.sort(key=lambda run: run.start_time)
            return [run.run_id for run in listed] if len(listed) == scenario.runs else []

        for path, run_id in zip(files(name), await eventually(all_runs), strict=True):
            history = await client.get_workflow_handle(person.id, run_id=run_id).fetch_history()
            events = _without_places(json.loads(history.to_json()))["events"]
            lines = ",\n".join(json.dumps(event, ensure_ascii=False) for event in events)
            path.write_text(f'{{"events": [\n{lines}\n]}}\n')
            print(f"{path.name}: {len(events)} events, {path.stat().st_size / 1000:.0f} kB")


def _without_places(value: Any) -> Any:
    """Without what tells of the machine that recorded: stack traces have paths."""
    if isinstance(value, dict):
        return {key: _without_places(item) for key, item in value.items() if key != "stackTrace"}
    return [_without_places(item) for item in value] if isinstance(value, list) else value


async def main(names: list[str]) -> None:
    """Record these scenarios, or all, and leave no history of one that is no more."""
    logging.disable(logging.ERROR)  # what fails here is meant to
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, temporal_server() as address:
        os.environ.update(ORDERS_DB=f"{folder}/orders.db", DIARY_DB=f"{folder}/diary.db")
        client = await Client.connect(address, data_converter=pydantic_data_converter, identity="recorder")
        for name in names or SCENARIOS:
            await record(client, name)
    known = {path for name in SCENARIOS for path in files(name)}
    for path in set(HISTORIES.glob("*.json")) - known:
        path.unlink()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
