"""Turn policies: what happens to texts that come close together, or while an answer is written."""

from __future__ import annotations

import asyncio

import pytest

from agents.turn import Draft, Turn
from messaging.model import OptOut
from tests.integration.clock import Clock
from tests.integration.harness import Bench
from tests.support.ports import eventually
from workflows.contracts import Adjustment
from workflows.conversation import ConversationWorkflow
from workflows.policy import Rules, TurnPolicy
from workflows.state import Outcome


class Slow:
    """An agent that writes until it is let go."""

    def __init__(self) -> None:
        self.writing = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, turn: Turn) -> Draft:
        self.writing.set()
        await self.go_on.wait()
        return Draft(text=f"re: {turn.text}")


async def test_coalesce_waits_for_a_quiet_moment_and_answers_all_together(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(quiet_period=5, longest_wait=60))
    for number in range(3):
        await clock.text(person, f"part {number}")
        await clock.passes(seconds=3)
    assert clock.bench.agent.turns == []
    await clock.passes(seconds=3)
    turn = await person.turn(1)

    assert clock.bench.outbox.bodies == ["re: part 0\npart 1\npart 2"]
    assert turn.drafts == 1


async def test_coalesce_waits_no_longer_than_it_may(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(quiet_period=5, longest_wait=10))
    for number in range(4):
        await clock.text(person, f"part {number}")
        await clock.passes(seconds=4)
    await person.turn(1)

    assert clock.bench.outbox.bodies[0] == "re: part 0\npart 1\npart 2"


async def test_coalesce_does_not_wait_with_many_texts(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(quiet_period=200, longest_wait=300, most_texts=3))
    for number in range(3):
        await clock.text(person, f"part {number}")
    await person.turn(1)

    assert clock.bench.outbox.bodies == ["re: part 0\npart 1\npart 2"]


async def test_a_stop_is_not_waited_with(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(quiet_period=200, longest_wait=300))
    await clock.text(person, "hello")
    await clock.text(person, "STOP")

    assert (await person.turn(1)).outcome is Outcome.OPTED_OUT
    assert clock.bench.agent.turns == []


async def test_the_first_text_is_answered_at_once_by_default(clock: Clock) -> None:
    before = await clock.env.get_current_time()
    person = clock.bench.conversation()
    await clock.text(person, "hello")
    turn = await person.turn(1)

    assert clock.bench.outbox.bodies == ["re: hello"]
    assert (turn.started_at - before).total_seconds() < 1


async def test_reject_answers_later_texts_without_the_agent_and_lets_the_draft_go_out(bench: Bench) -> None:
    bench.agent.reply_with = slow = Slow()
    rules = Rules(turn_policy=TurnPolicy.REJECT, reject_text="one moment")
    person = bench.conversation(rules)
    await person.text("one")
    await slow.writing.wait()
    await person.text("two")
    await eventually(lambda: asyncio.sleep(0, bench.outbox.bodies == ["one moment"]))
    slow.go_on.set()
    await person.turn(1)
    await person.text("three")
    await person.turn(2)

    assert bench.outbox.bodies == ["one moment", "re: one", "re: three"]
    assert [t.text for t in bench.agent.turns] == ["one", "three"]
    assert [(m.body, m.status) for m in (await person.transcript()).messages if m.direction == "inbound"] == [
        ("one", "answered"),
        ("two", "refused"),
        ("three", "answered"),
    ]


async def test_reject_never_rejects_a_stop(bench: Bench) -> None:
    bench.agent.reply_with = slow = Slow()
    person = bench.conversation(Rules(turn_policy=TurnPolicy.REJECT))
    await person.text("one")
    await slow.writing.wait()
    await person.text("STOP")
    await person.turn(2)

    assert bench.outbox.bodies == []
    assert (await person.view()).opted_out


@pytest.mark.parametrize("own", [TurnPolicy.ENQUEUE])
async def test_a_conversation_may_have_a_policy_of_its_own(bench: Bench, own: TurnPolicy) -> None:
    bench.agent.reply_with = slow = Slow()
    person = bench.conversation(Rules(turn_policy=TurnPolicy.COALESCE))
    await person.text("one")
    await slow.writing.wait()
    view = await person.handle.execute_update(ConversationWorkflow.adjust, Adjustment(turn_policy=own))
    await person.text("two")
    slow.go_on.set()
    await person.turn(2)

    assert view.turn_policy == own.value
    assert bench.outbox.bodies == ["re: one", "re: two"]


@pytest.mark.parametrize("policy", list(TurnPolicy))
async def test_a_stop_while_the_agent_writes_is_heeded_at_once_under_every_policy(
    bench: Bench, policy: TurnPolicy
) -> None:
    bench.agent.reply_with = slow = Slow()
    person = bench.conversation(Rules(turn_policy=policy))
    await person.text("hello")
    await slow.writing.wait()
    await person.text(OptOut.STOP.value)
    turn = await person.turn(1)  # the agent has not finished, and need not

    assert turn.outcome is Outcome.OPTED_OUT
    assert bench.outbox.bodies == []
