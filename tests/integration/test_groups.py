"""Several people in one conversation: each gets the answer to what they said, from their own memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from temporalio.client import Client

from agents.turn import Draft, Turn
from tests.integration.harness import Bench, bench_for
from tests.support import flows
from tests.support.ports import eventually
from workflows import catalogue
from workflows.policy import Rules, TurnPolicy
from workflows.state import Outcome


class Slow:
    """Holds the first draft until it is let go; says who and what each turn was about."""

    def __init__(self) -> None:
        self.writing, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, turn: Turn) -> Draft:
        if not self.writing.is_set():
            self.writing.set()
            await self.go_on.wait()
        return Draft(text=f"{turn.contact_id}: {turn.text}")


@pytest.fixture
async def bench(client: Client) -> AsyncIterator[Bench]:
    catalogue.install((flows.TOGETHER,), "tests.support.flows:TOGETHER")
    async with bench_for(client, flows=(flows.TOGETHER,)) as bench:
        yield bench


@pytest.mark.parametrize("policy", [TurnPolicy.COALESCE, TurnPolicy.ENQUEUE, TurnPolicy.INTERRUPT])
async def test_nobody_gets_an_answer_meant_for_another(bench: Bench, policy: TurnPolicy) -> None:
    bench.agent.reply_with = slow = Slow()
    group = bench.conversation(Rules(turn_policy=policy))
    await group.text("a1", author="ana")
    await slow.writing.wait()
    for author, body in (("ana", "a2"), ("bo", "b1"), ("bo", "b2"), ("ana", "a3"), ("cy", "c1")):
        await group.text(body, author=author)
    slow.go_on.set()

    async def said() -> bool:
        return any("c1" in body for body in bench.outbox.bodies)

    await eventually(said)
    spoken = [body.split(": ", 1) for body in bench.outbox.bodies]
    # Whatever the policy: each answer is about one person's texts, and all of them are answered in order.
    assert [(who, what) for who, text in spoken for what in text.split("\n")] == [
        ("ana", "a1"),
        ("ana", "a2"),
        ("bo", "b1"),
        ("bo", "b2"),
        ("ana", "a3"),
        ("cy", "c1"),
    ]
    if policy is not TurnPolicy.ENQUEUE:
        assert [who for who, _ in spoken] == ["ana", "bo", "ana", "cy"]
        assert all(one[0] != other[0] for one, other in pairwise(spoken))


async def test_a_text_of_another_does_not_hold_an_answer_up(bench: Bench) -> None:
    bench.agent.reply_with = slow = Slow()
    group = bench.conversation()
    await group.text("a1", author="ana")
    await slow.writing.wait()
    await group.text("b1", author="bo")
    slow.go_on.set()
    await group.turn(2)
    assert bench.outbox.bodies == ["ana: a1", "bo: b1"]
    assert [turn.attempt for turn in bench.agent.turns] == [1, 1]


async def test_each_is_remembered_and_recalled_alone(bench: Bench) -> None:
    group = bench.conversation()
    for number, (author, body) in enumerate((("ana", "my code is 42"), ("bo", "what is the code?")), start=1):
        await group.text(body, author=author)
        await group.turn(number)
    assert {item.contact_id for item in bench.memory.items.values()} == {"ana", "bo"}
    assert bench.agent.turns[1].recalled == ()
    assert {(i.contact_id, i.text) for i in bench.memory.items.values() if i.role == "contact"} == {
        ("ana", "my code is 42"),
        ("bo", "what is the code?"),
    }


async def test_a_stop_of_one_reaches_the_draft_for_another(bench: Bench) -> None:
    """What is sent into a group reaches everybody in it, so one who stops it stops it for all."""
    bench.agent.reply_with = slow = Slow()
    group = bench.conversation()
    await group.text("a1", author="ana")
    await slow.writing.wait()
    await group.text("STOP", author="bo")
    slow.go_on.set()
    assert (await group.turn(2)).outcome is Outcome.OPTED_OUT
    assert bench.outbox.bodies == []


async def test_a_flow_may_answer_several_people_together(bench: Bench) -> None:
    bench.agent.reply_with = slow = Slow()
    group = bench.conversation(Rules(flow=flows.TOGETHER.ref))
    await group.text("a1", author="ana")
    await slow.writing.wait()
    await group.text("b1", author="bo")
    slow.go_on.set()
    await group.turn(1)
    assert [body.split(": ", 1)[1] for body in bench.outbox.bodies] == ["a1\nb1"]
