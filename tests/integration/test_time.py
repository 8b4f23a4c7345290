"""What takes hours and days, on a server that skips time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import pytest

from memory.store import MemoryMismatch, MemoryUnavailable
from messaging import errors
from messaging.model import Message, SendOutcome, SendProof
from tests.integration.clock import Clock, skipping
from tests.integration.harness import Outbox
from tests.support.ports import eventually
from workflows.policy import Rules
from workflows.state import Outcome


async def test_a_day_of_silence_closes_a_conversation_and_not_less(clock: Clock) -> None:
    person = clock.bench.conversation()
    await clock.text(person, "hello")
    await person.turn(1)

    await clock.passes(hours=23, minutes=58)
    assert not await clock.is_closed(person)
    await clock.passes(minutes=4)
    await clock.closes(person)


async def test_a_text_moves_the_end_of_the_day(clock: Clock) -> None:
    person = clock.bench.conversation()
    await clock.text(person, "hello")
    await person.turn(1)
    await clock.passes(hours=23)
    await clock.text(person, "still there?")
    await person.turn(2)

    await clock.passes(hours=23, minutes=58)
    assert not await clock.is_closed(person)
    await clock.passes(minutes=4)
    await clock.closes(person)


async def test_a_shorter_silence_that_a_later_text_brings_counts_at_once(clock: Clock) -> None:
    person = clock.bench.conversation()
    await clock.text(person, "hello")
    await person.turn(1)
    person.rules = Rules(idle_close=timedelta(hours=1).total_seconds())
    await clock.text(person, "under the new rules")
    await person.turn(2)

    await clock.passes(minutes=58)
    assert not await clock.is_closed(person)
    await clock.passes(minutes=4)
    await clock.closes(person)


@pytest.mark.parametrize(
    "away",
    [MemoryUnavailable("refused"), MemoryMismatch(collection="memory", found="one model", expected="another")],
    ids=["unavailable", "of another model"],
)
async def test_memory_that_is_away_for_hours_is_written_when_it_is_back(clock: Clock, away: Exception) -> None:
    clock.bench.memory.away = away
    person = clock.bench.conversation()
    await clock.text(person, "hello")
    await person.turn(1)
    await clock.passes(hours=4)
    assert (await person.view()).unremembered == 2
    assert clock.bench.memory.items == {}

    clock.bench.memory.away = None
    await clock.passes(minutes=11)

    async def is_written() -> bool:
        return (await person.view()).unremembered == 0

    await eventually(is_written)
    assert sorted(item.text for item in clock.bench.memory.items.values()) == ["hello", "re: hello"]


async def test_a_silent_conversation_stays_until_its_memory_is_written(clock: Clock) -> None:
    clock.bench.memory.away = MemoryUnavailable("refused")
    person = clock.bench.conversation(Rules(idle_close=timedelta(hours=1).total_seconds()))
    await clock.text(person, "hello")
    await person.turn(1)
    await clock.passes(hours=2)
    assert not await clock.is_closed(person)

    clock.bench.memory.away = None
    await clock.passes(minutes=2)
    await clock.closes(person)
    assert len(clock.bench.memory.items) == 2


async def test_who_opted_out_is_not_forgotten_by_silence(clock: Clock) -> None:
    person = clock.bench.conversation()
    await clock.text(person, "STOP")
    await person.turn(1)
    await clock.passes(days=3)
    await clock.text(person, "hello?")

    assert (await person.turn(2)).outcome is Outcome.OPTED_OUT
    assert clock.bench.outbox.bodies == []


class Unsure(Outbox):
    """A provider whose sends all time out; a look finds what `outcome` says."""

    def __init__(self, outcome: SendOutcome) -> None:
        super().__init__()
        self._outcome = outcome

    async def send_message(self, sid: str, message: Message, *, key: str | None = None) -> Message:
        self.calls += 1
        raise errors.Timeout("read", ambiguous=True)

    async def find_message(
        self,
        sid: str,
        key: str,
        *,
        message: Message | None = None,
        since: datetime | None = None,
        known: Collection[str] = (),
    ) -> SendProof:
        self.looks += 1
        return SendProof(outcome=self._outcome)


@pytest.mark.parametrize("outcome", [SendOutcome.UNCERTAIN, SendOutcome.ABSENT])
async def test_a_send_that_nobody_can_prove_stays_uncertain_and_the_turn_is_parked(outcome: SendOutcome) -> None:
    """The last try timed out like all others: the provider may have it, so nothing may call it failed."""
    async with skipping(outbox=Unsure(outcome)) as clock:
        person, outbox = clock.bench.conversation(), clock.bench.outbox
        await clock.text(person, "hello")
        await eventually(lambda: _called(outbox))
        await clock.passes(hours=1, minutes=5)
        turn = await person.turn(1)
        [_, answer] = (await person.transcript()).messages

    assert (turn.outcome, answer.status) == (Outcome.PARKED, "uncertain")
    assert (outbox.calls == 1) is (outcome is SendOutcome.UNCERTAIN)


async def _called(outbox: Outbox) -> bool:
    return outbox.calls > 0
