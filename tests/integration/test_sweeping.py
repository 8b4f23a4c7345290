"""Sweeps page by page, and what conversations know of their texts: open, continued, closed, ended by force."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.sweeping import Sweeping
from agents.turn import Draft, Turn
from messaging import errors
from messaging.config import MessagingConfig
from messaging.model import Capabilities, InboundEvent, Page
from runtime import forgotten
from runtime import sweeping as handing
from runtime.fates import ConversationSilent, FateBook
from runtime.gateway import Gateway
from runtime.ledger import Balance, Ledger
from runtime.spool import Spool, Spooled, key_of
from runtime.sweeping import NobodySweeps, SweepIntake, TooLongAgo, sweep_now
from runtime.temporal import workflow_runner
from tests.integration.harness import Bench, Conversation
from tests.integration.test_gateway import Person
from tests.support.ports import eventually
from workflows import policy, sweeping
from workflows.fate import IN_PROGRESS, Fate
from workflows.forgetting import ForgetOrder, ForgetWorkflow
from workflows.policy import Rules
from workflows.sweeping import SweepWorkflow, Swept

AGO = timedelta(hours=1)


@dataclass(slots=True)
class Listing:
    """A provider with a list, `size` a page. `strangers` are not told to us; `fail` are errors to come."""

    events: list[InboundEvent]
    size: int = 100
    strangers: set[str] = field(default_factory=set)
    fail: list[errors.MessagingError] = field(default_factory=list)
    asked: list[tuple[datetime, str | None]] = field(default_factory=list)
    name: str = "outbox"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(
            channels=frozenset(),
            conversations=False,
            participants=False,
            outbound_media=False,
            max_body=1,
            proves_absence=False,
            lists_inbound=True,
        )
    )

    async def list_inbound(self, *, since: datetime, until: datetime, cursor: str | None = None) -> Page[InboundEvent]:
        self.asked.append((since, cursor))
        if self.fail:
            raise self.fail.pop(0)
        at = int(cursor or 0)
        more = str(at + self.size) if len(self.events) > at + self.size else None
        return Page(items=tuple(self.events[at : at + self.size]), next_cursor=more)

    async def claim(self, event: InboundEvent) -> InboundEvent | None:
        return None if event.event_key in self.strangers else event

    def get_config(self) -> MessagingConfig:
        return MessagingConfig(provider=self.name)


def gateway_of(bench: Bench) -> Gateway:
    return Gateway(client=bench.client, task_queue=bench.queue, id_key=b"k" * 16, rules=Rules())


@asynccontextmanager
async def sweeper(bench: Bench, listing: Listing) -> AsyncIterator[str]:
    """A worker that sweeps; its queue."""
    queue = f"sweep-{uuid.uuid4().hex}"
    intake = SweepIntake(gateway=gateway_of(bench), fates=FateBook(bench.client))
    activity = Sweeping({"outbox": listing}, intake).sweep_page  # type: ignore[dict-item]
    async with Worker(
        bench.client,
        task_queue=queue,
        workflows=[SweepWorkflow],
        activities=[activity],
        workflow_runner=workflow_runner(),
    ):
        yield queue


async def swept(bench: Bench, listing: Listing) -> Swept:
    now = datetime.now(UTC)
    async with sweeper(bench, listing) as queue:
        return await sweep_now(bench.client, queue, ["outbox"], since=now - AGO, until=now)


async def test_pages_are_handed_in_once_and_in_order_over_many_runs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "PAGES", 2)
    people = [Person() for _ in range(3)]
    events = [people[n % 3].says(f"text {n:02}") for n in range(30)]
    gateway = gateway_of(bench)
    for event in events[:5]:  # these came by webhook
        await gateway.accept([event])
    listing = Listing(events=events, size=4, strangers={events[29].event_key})
    found = await swept(bench, listing)
    assert (found.listed, found.recovered, found.elsewhere) == ({"outbox": 30}, {"outbox": 24}, {"outbox": 1})
    assert len(listing.asked) == 8

    async def all_answered() -> bool:
        lines = [line for body in bench.outbox.bodies for line in body.removeprefix("re: ").split("\n")]
        for number in range(3):
            theirs = [line for line in lines if int(line.split()[1]) % 3 == number]
            assert theirs == sorted(theirs)
        assert len(lines) == len(set(lines))
        return len(lines) == 29

    await eventually(all_answered)
    again = await swept(bench, listing)
    assert again.recovered == {"outbox": 0}


async def test_a_provider_that_fails_is_told_and_begun_with_again(bench: Bench) -> None:
    listing = Listing(events=[], fail=[errors.AuthorizationError("not with this key")])
    found = await swept(bench, listing)
    assert list(found.failed) == ["outbox"]
    assert found.reached["outbox"] == listing.asked[0][0]


async def test_a_flood_comes_a_part_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "MOST_OF_ONE", 3)
    flood = Person()
    listing = Listing(events=[flood.says(f"flood {n}") for n in range(5)] + [Person().says("somebody else")])
    first = await swept(bench, listing)
    assert (first.recovered, first.left) == ({"outbox": 4}, {"outbox": 2})
    assert first.reached["outbox"] == listing.asked[0][0]
    second = await swept(bench, listing)
    assert (second.recovered, second.left) == ({"outbox": 2}, {"outbox": 0})


async def test_nobody_sweeps_where_no_worker_asks(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "PATIENCE", timedelta(0))
    now = datetime.now(UTC)
    with pytest.raises(NobodySweeps):
        await sweep_now(client, f"queue-{uuid.uuid4().hex}", ["outbox"], since=now - AGO, until=now)


async def test_nothing_is_looked_for_longer_ago_than_what_is_known_of(bench: Bench) -> None:
    now = datetime.now(UTC)
    async with sweeper(bench, Listing(events=[])) as queue:
        with pytest.raises(TooLongAgo, match="at most 1 days back"):
            await sweep_now(bench.client, queue, ["outbox"], since=now - timedelta(days=2), until=now)


async def test_what_somebody_wrote_before_being_forgotten_is_not_fetched_again(bench: Bench) -> None:
    gone, here = Person(), Person()
    before, other = gone.says("before"), here.says("from somebody else")
    gateway = gateway_of(bench)
    order = ForgetOrder(contact_id=await gateway.contact_id(before), by="ana")
    await bench.client.execute_workflow(
        ForgetWorkflow.run, order, id=f"forget-{order.contact_id}", task_queue=bench.queue
    )
    listing = Listing(events=[before, other, gone.says("after", received_at=datetime.now(UTC) + timedelta(seconds=5))])

    async def listed() -> bool:
        return order.contact_id in await forgotten.times(bench.client)

    await eventually(listed)
    found = await swept(bench, listing)
    assert (found.recovered, found.elsewhere) == ({"outbox": 2}, {"outbox": 0})
    book = Ledger(gateway=gateway, backends={"outbox": listing}, fates=FateBook(bench.client))  # type: ignore[dict-item]
    now = datetime.now(UTC)
    states = {entry.id: entry.state async for entry in book.entries(now - AGO, now)}
    assert states[before.event_key] == "forgotten"
    assert "unaccounted" not in states.values()


# --- what conversations know ---


async def talk(bench: Bench, count: int, rules: Rules | None = None) -> tuple[Conversation, list[str]]:
    person = bench.conversation(rules)
    keys = []
    for number in range(1, count + 1):
        keys.append(await person.text(f"text {number}"))
        await person.turn(number)
    return person, keys


def answered(keys: list[str]) -> dict[str, Fate]:
    return {key: Fate(state="answered", turn=number) for number, key in enumerate(keys, start=1)}


async def test_fates_are_known_over_continue_as_new_closing_and_a_new_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "EVENT_BUDGET", 40)
    book = FateBook(bench.client)
    person, keys = await talk(bench, 5)
    assert await book.look(person.id, [*keys, "of nobody"]) == answered(keys)
    await person.handle.execute_update("close")
    await person.handle.result()
    assert await book.look(person.id, [*keys, "of nobody"]) == answered(keys)
    run = (await person.handle.describe()).run_id
    keys.append(await person.text("again", previous_run_id=run))
    await person.turn(6)
    assert await book.look(person.id, keys) == answered(keys)
    assert await book.look(f"conversation-{uuid.uuid4().hex}", keys) == {}


async def test_a_run_that_was_ended_by_force_answers_for_what_it_did_and_no_more(bench: Bench) -> None:
    book = FateBook(bench.client)
    person, keys = await talk(bench, 1)
    writing = asyncio.Event()

    async def stuck(turn: Turn) -> Draft:
        writing.set()
        await asyncio.Event().wait()
        raise AssertionError

    bench.agent.reply_with = stuck
    lost = await person.text("never answered")
    await writing.wait()
    assert (await book.look(person.id, [lost]))[lost].state == IN_PROGRESS
    await person.handle.terminate()

    async def told() -> bool:  # the list of runs takes about a second
        return await book.look(person.id, [*keys, lost]) == answered(keys)

    await eventually(told)


async def test_a_conversation_that_no_worker_answers_for_is_silent(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.fates.PATIENCE", timedelta(seconds=1))
    left = Bench(client, f"queue-{uuid.uuid4().hex}").conversation()
    key = await left.text("hello")
    with pytest.raises(ConversationSilent):
        await FateBook(client).look(left.id, [key])
    await left.handle.terminate()


async def test_a_conversation_that_does_not_answer_holds_up_nobody_elses_texts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.fates.PATIENCE", timedelta(seconds=1))
    silent, lost = Person().says("one that a stopped worker has"), Person().says("one that nobody has")
    stopped = Gateway(client=bench.client, task_queue=f"queue-{uuid.uuid4().hex}", id_key=b"k" * 16, rules=Rules())
    await stopped.accept([silent])
    found = await swept(bench, Listing(events=[silent, lost]))
    assert (found.recovered, found.left) == ({"outbox": 1}, {"outbox": 1})
    # The next sweep begins where this one did.
    assert found.reached["outbox"] < lost.received_at
    await bench.client.get_workflow_handle(stopped.conversation_id(silent)).terminate()


# --- the ledger ---


async def test_the_ledger_tells_what_waits_in_the_spool_or_was_set_aside(bench: Bench, tmp_path: Path) -> None:
    events = [Person().says(f"text {number}") for number in range(4)]
    gateway = gateway_of(bench)
    await gateway.accept([events[0]])
    spool = Spool(tmp_path, megabytes=1)
    await spool.put([Spooled(key=key_of(event), conversation="c", event=b"{}") for event in events[1:3]])
    await spool.refuse(spool.peek(1)[0].id, "too large")
    listing: Any = Listing(events=events)
    book = Ledger(gateway=gateway, backends={"outbox": listing}, fates=FateBook(bench.client), spool_folder=tmp_path)
    now = datetime.now(UTC)

    async def told() -> Balance | None:
        balance = Balance(since=now - AGO, until=now)
        async for entry in book.entries(now - AGO, now):
            balance.add(entry)
        return balance if "answered" in balance.states else None

    balance = await eventually(told)
    await spool.aclose()
    assert balance is not None
    assert balance.states == {"answered": 1, "spooled": 1, "set_aside": 1, "unaccounted": 1}
    assert [entry.id for entry in balance.unaccounted] == [events[3].event_key]
