"""Several people in one conversation: each gets the answer to what they said, from their own memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise

import pytest
from temporalio.client import Client

from agents.turn import Draft, Turn
from messaging import errors
from messaging.model import Address, Binding, Channel, DeliveryStatus, Participant
from runtime.consents import TemporalConsents
from tests.integration.harness import Bench, bench_for
from tests.support import flows
from tests.support.ports import eventually
from workflows import catalogue
from workflows.inbox import DeliveryUpdate
from workflows.policy import ConsentScope, Rules, TurnPolicy
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


class Three:
    """Ana, bo and cy by SMS in one conversation of the provider's."""

    def __init__(self, bench: Bench, rules: Rules | None = None) -> None:
        self.bench, self.group = bench, bench.conversation(rules)
        bench.outbox.people = {f"MB-{name}": _by_sms(number) for number, name in enumerate(("ana", "bo", "cy"))}

    async def text(self, author: str, body: str) -> str:
        return await self.group.text(body, author=author, participant=f"MB-{author}")

    async def refuses(self, author: str) -> None:
        """The carrier says that this one has sent STOP to the number."""
        await self.group.report(
            DeliveryUpdate(
                message_sid="SM1", status=DeliveryStatus.UNDELIVERED, error_code=21610, participant=f"MB-{author}"
            )
        )

    async def outcome(self, key: str) -> str:
        async def look() -> str:
            messages = (await self.group.transcript()).messages
            return next((m.status for m in messages if m.id == key and m.status != "received"), "")

        return await eventually(look)

    @property
    def people(self) -> set[str]:
        return {sid.removeprefix("MB-") for sid in self.bench.outbox.people}


def _by_sms(number: int) -> Participant:
    return Participant(binding=Binding(type=Channel.SMS, address=Address.parse(f"+1555010000{number}")))


@pytest.fixture
def three(bench: Bench) -> Three:
    return Three(bench)


async def test_who_stops_is_taken_out_before_another_gets_the_answer_that_was_being_written(three: Three) -> None:
    three.bench.agent.reply_with = slow = Slow()
    await three.text("ana", "a1")
    await slow.writing.wait()
    stop = await three.text("bo", "STOP")
    assert await three.outcome(stop) == "opted_out"
    slow.go_on.set()
    assert (await three.group.turn(1)).outcome is Outcome.ANSWERED
    assert (three.people, three.bench.outbox.bodies) == ({"ana", "cy"}, ["ana: a1"])
    assert not (await three.group.view()).opted_out


async def test_who_has_left_is_not_answered_any_more_and_the_others_are(three: Three) -> None:
    three.bench.agent.reply_with = slow = Slow()
    await three.text("ana", "a1")
    await slow.writing.wait()
    for author, body in (("bo", "b1"), ("cy", "c1"), ("bo", "STOP")):
        await three.text(author, body)
    slow.go_on.set()
    await three.group.turn(2)
    assert three.bench.outbox.bodies == ["ana: a1", "cy: c1"]
    assert [m.status for m in (await three.group.transcript()).messages if m.contact == "bo"] == ["opted_out"] * 2


async def test_a_stop_of_the_draft_s_own_reader_ends_it_and_the_others_go_on(three: Three) -> None:
    three.bench.agent.reply_with = slow = Slow()
    first = await three.text("bo", "b1")
    await slow.writing.wait()
    stop = await three.text("bo", "STOP")
    assert [await three.outcome(key) for key in (first, stop)] == ["opted_out"] * 2
    slow.go_on.set()
    await three.text("ana", "a1")
    await three.group.turn(2)
    assert (three.people, three.bench.outbox.bodies) == ({"ana", "cy"}, ["ana: a1"])


async def test_a_block_that_the_carrier_reports_of_one_takes_out_that_one(three: Three) -> None:
    await three.text("ana", "a1")
    await three.group.turn(1)
    await three.refuses("bo")
    await eventually(_true(lambda: three.people == {"ana", "cy"}))
    await three.text("cy", "c1")
    assert (await three.group.turn(2)).outcome is Outcome.ANSWERED


@pytest.mark.parametrize("how", ["word", "carrier"])
async def test_a_stop_of_the_only_person_stops_the_conversation(three: Three, how: str) -> None:
    three.bench.outbox.people = {"MB-ana": _by_sms(0), "MB-colleague": Participant(identity="colleague")}
    await three.text("ana", "a1")
    await three.group.turn(1)
    await (three.text("ana", "STOP") if how == "word" else three.refuses("ana"))

    async def stopped() -> bool:
        return (await three.group.view()).opted_out

    await eventually(stopped)
    assert three.people == {"ana", "colleague"}


async def test_who_cannot_be_taken_out_stops_it_for_all_until_they_start_again_themselves(three: Three) -> None:
    three.bench.outbox.fail_leave = errors.AuthorizationError("no")
    await three.text("bo", "STOP")
    assert (await three.group.turn(1)).outcome is Outcome.OPTED_OUT
    assert "could not be taken out" in (await three.group.view()).alerts[0].reason
    for number, (author, body) in enumerate((("ana", "START"), ("ana", "a1")), start=2):
        await three.text(author, body)
        assert (await three.group.turn(number)).outcome is Outcome.OPTED_OUT
    await three.text("bo", "START")
    assert (await three.group.turn(4)).outcome is Outcome.OPTED_IN
    assert three.bench.outbox.bodies == []


async def test_where_consent_is_a_persons_it_is_that_of_who_stopped(bench: Bench) -> None:
    three = Three(bench, Rules(consent=ConsentScope.CONTACT))
    names = {name: f"{name}-{three.group.id}" for name in ("ana", "bo")}
    await three.group.text("STOP", author=names["bo"], participant="MB-bo")
    await three.group.text("a1", author=names["ana"], participant="MB-ana")
    assert (await three.group.turn(1)).outcome is Outcome.ANSWERED
    record = TemporalConsents(bench.client, bench.queue)
    assert {name: await record.has_opted_out(contact) for name, contact in names.items()} == {"ana": False, "bo": True}


async def test_what_is_rejected_is_remembered_as_that_of_who_wrote_it(bench: Bench) -> None:
    bench.agent.reply_with = slow = Slow()
    group = bench.conversation(Rules(turn_policy=TurnPolicy.REJECT))
    await group.text("a1", author="ana")
    await slow.writing.wait()
    await group.text("b1", author="bo")
    await eventually(_true(lambda: bool(bench.outbox.bodies)))
    slow.go_on.set()
    await group.turn(1)
    assert {item.text: item.contact_id for item in bench.memory.items.values() if item.role == "contact"} == {
        "a1": "ana",
        "b1": "bo",
    }


def _true(check: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return check()

    return look


async def test_a_stop_of_one_stops_it_for_all_where_nobody_knows_who_is_there(bench: Bench) -> None:
    """What is sent into a group reaches everybody in it."""
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
