"""Forgetting a person: from memory, conversations and providers; nobody else; and through the death of a worker.

Run as a module, this is the worker that a test kills: `python -m tests.integration.test_forgetting ADDRESS QUEUE ...`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from qdrant_client import AsyncQdrantClient
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from memory import contacts
from memory.embedded.app import create_app
from memory.embedders.hashing import HashingEmbedder
from memory.item import MemoryItem, item_id
from memory.qdrant import QdrantStore
from memory.qdrant_contacts import QdrantContacts
from memory.store import MemoryUnavailable
from runtime import attributes
from tests.integration.harness import Bench, Conversation, bench_for
from tests.support.ports import eventually
from workflows.conversation import ConversationWorkflow
from workflows.forgetting import ForgetOrder, ForgetReceipt, ForgetWorkflow
from workflows.state import Outcome

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_TURNS = count()


@pytest.fixture
async def qdrant(tmp_path: Path) -> AsyncIterator[AsyncQdrantClient]:
    app = create_app(tmp_path)
    transport = httpx.ASGITransport(app)
    client = AsyncQdrantClient(url="http://embedded", transport=transport, check_compatibility=False)
    yield client
    await client.close()
    app.state.shards.close()


@pytest.fixture
async def bench(client: Client, qdrant: AsyncQdrantClient) -> AsyncIterator[Bench]:
    await attributes.ensure(client)
    store = QdrantStore(qdrant, HashingEmbedder(), timeout=30)
    book = QdrantContacts(qdrant, timeout=30)
    async with bench_for(client, memory=store, contacts=book) as bench:
        yield bench


def person(bench: Bench, contact_id: str) -> Conversation:
    """Every other conversation is one of an older version, which no search attribute finds."""
    return replace(bench.conversation(), contact_id=contact_id, listed=bool(next(_TURNS) % 2))


async def told(one: Conversation, *texts: str) -> None:
    for text in texts:
        await one.text(text)
        await one.turn(one.count)


async def forget(bench: Bench, contact_id: str, **order: Any) -> ForgetReceipt:
    receipt: ForgetReceipt = await (await ordered(bench, contact_id, **order)).result()
    return receipt


async def ordered(bench: Bench, contact_id: str, **order: Any) -> WorkflowHandle[Any, ForgetReceipt]:
    return await bench.client.start_workflow(
        ForgetWorkflow.run,
        ForgetOrder(contact_id=contact_id, by="bo", **order),
        id=f"forget-{uuid.uuid4().hex}",
        task_queue=bench.queue,
    )


def unique(name: str) -> str:
    """An id that no other test of the same server has."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


async def histories(client: Client, conversation_id: str) -> bytes:
    """Everything that Temporal holds of a conversation, over all runs that it lists."""
    found = b""
    async for run in client.list_workflows(f"WorkflowId = '{conversation_id}'"):
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        found += b"".join(event.SerializeToString() for event in history.events)
    return found


async def test_a_person_is_forgotten_everywhere_and_the_receipt_says_what_went(bench: Bench) -> None:
    ana, eve = unique("contact-ana"), unique("contact-eve")
    sms, chat, hers = person(bench, ana), person(bench, ana), person(bench, eve)
    await told(sms, "my pin is 1111", "I live in Porto")
    await told(chat, "my dog is called Rex")
    await told(hers, "my pin is 2222")
    assert b"1111" in await histories(bench.client, sms.id)
    others = await bench.memory.all_of(eve)

    receipt = await forget(bench, ana)

    assert (receipt.contact_ids, receipt.by, receipt.memories, receipt.messages) == ((ana,), "bo", 9, 6)
    assert receipt.conversations == tuple(sorted((sms.id, chat.id)))
    assert receipt.runs == 2
    assert receipt.asked_at <= receipt.done_at
    assert await bench.memory.all_of(ana) == []
    for one in (sms, chat):
        assert (await one.transcript()).messages == ()
        left = await histories(bench.client, one.id)
        assert left
        assert not any(word in left for word in (b"1111", b"Porto", b"Rex"))
    assert await bench.memory.all_of(eve) == others
    assert len((await hers.transcript()).messages) == 2
    assert b"2222" in await histories(bench.client, hers.id)

    # They are a stranger now, whose conversation goes on all the same; a repeated webhook is still no new text.
    await sms.text("I live in Porto", key=f"{sms.id}-in-2")
    await sms.text("hello again")
    turn = await sms.turn(3)
    assert turn.outcome is Outcome.ANSWERED
    assert bench.agent.turns[-1].history == ()
    assert [m.body for m in (await sms.transcript()).messages] == ["hello again", "re: hello again"]


async def test_forgetting_again_finds_nothing_and_says_so(bench: Bench) -> None:
    ana = unique("contact-ana")
    await told(person(bench, ana), "hello")
    await forget(bench, ana)
    again = await forget(bench, ana)
    assert (again.memories, again.messages, again.runs, again.conversations) == (0, 0, 0, ())
    nobody = await forget(bench, unique("contact-nobody"))
    assert (nobody.memories, nobody.conversations) == (0, ())


async def test_nobody_whose_id_looks_alike_loses_anything(bench: Bench) -> None:
    ana = unique("contact-ana")
    alike = [ana[:-1], ana + "a", ana.upper(), f" {ana}", f"x{ana}", f"{ana}' OR MessagingContact = '{ana}x"]
    await told(person(bench, ana), "my pin is 1111")
    neighbours = [person(bench, one) for one in alike[:3]]
    for one in neighbours:
        await told(one, "my pin is 2222")
    items = [
        MemoryItem(
            id=item_id(f"{one}-{n}"),
            contact_id=one,
            conversation_id="c",
            channel="sms",
            turn=n,
            role="contact",
            text=f"note {n}",
            at=NOW,
            source=f"{one}-{n}",
        )
        for one in alike
        for n in range(20)
    ]
    await bench.memory.remember(items)
    before = {one: await bench.memory.all_of(one) for one in alike}
    transcripts = [(await one.transcript()).messages for one in neighbours]

    assert (await forget(bench, ana)).memories == 3
    assert {one: await bench.memory.all_of(one) for one in alike} == before
    assert [(await one.transcript()).messages for one in neighbours] == transcripts


async def test_all_ids_of_a_person_are_forgotten_and_the_links_with_them(bench: Bench) -> None:
    phone, bsuid, eve = unique("contact-phone"), unique("contact-bsuid"), unique("contact-eve")
    await told(person(bench, phone), "by phone")
    await told(person(bench, bsuid), "by WhatsApp")
    await contacts.merge(bench.contacts, phone, bsuid, by="bo", reason="", at=NOW)
    await contacts.merge(bench.contacts, eve, unique("contact-eve"), by="bo", reason="", at=NOW)

    receipt = await forget(bench, bsuid)

    assert set(receipt.contact_ids) == {phone, bsuid}
    assert (receipt.memories, receipt.links, len(receipt.conversations)) == (4, 1, 2)
    assert await bench.memory.all_of(phone) == await bench.memory.all_of(bsuid) == []
    assert await bench.contacts.links([phone, bsuid]) == []
    assert len(await contacts.person(bench.contacts, eve)) == 2


async def test_a_closed_conversation_is_gone_and_does_not_come_back_with_the_next_text(bench: Bench) -> None:
    ana = unique("contact-ana")
    one = person(bench, ana)
    await told(one, "my pin is 1111")
    await one.handle.execute_update(ConversationWorkflow.close)
    await one.handle.result()

    receipt = await forget(bench, ana)
    assert (receipt.messages, receipt.runs, receipt.conversations) == (2, 1, (one.id,))
    assert await histories(bench.client, one.id) == b""


async def test_who_said_stop_is_forgotten_and_stays_opted_out(bench: Bench) -> None:
    ana = unique("contact-ana")
    still_open, closed = person(bench, ana), person(bench, ana)
    for one in (still_open, closed):
        await told(one, "my pin is 1111", "STOP")
    await closed.handle.execute_update(ConversationWorkflow.close)
    await closed.handle.result()

    await forget(bench, ana)

    for one in (still_open, closed):
        view = await one.view()
        assert (view.opted_out, view.state) == (True, "active")
        assert b"1111" not in await histories(bench.client, one.id)
        await one.text("are you there?")
        assert (await one.turn(3)).outcome is Outcome.OPTED_OUT
    assert bench.outbox.bodies == ["re: my pin is 1111"] * 2


async def test_a_turn_in_progress_is_answered_first_and_forgotten_then(bench: Bench) -> None:
    writing, go_on = asyncio.Event(), asyncio.Event()
    echo = bench.agent.reply_with

    async def slow(turn: Any) -> Any:
        writing.set()
        await go_on.wait()
        return await echo(turn)

    bench.agent.reply_with = slow
    ana = unique("contact-ana")
    one = person(bench, ana)
    await one.text("my pin is 1111")
    await writing.wait()
    asked = await ordered(bench, ana)
    await asyncio.sleep(0.5)
    assert (await asked.describe()).status is WorkflowExecutionStatus.RUNNING
    go_on.set()

    receipt = await asked.result()
    assert bench.outbox.bodies == ["re: my pin is 1111"]
    assert receipt.messages == 2
    assert await bench.memory.all_of(ana) == []
    assert (await one.transcript()).messages == ()
    assert b"1111" not in await histories(bench.client, one.id)


class Erasing:
    """A provider that deletes, and fails once in the middle."""

    def __init__(self, count: int) -> None:
        self.kept = [f"SM{n}" for n in range(count)]
        self.asked: list[str] = []

    async def erase_messages(self, sid: str) -> AsyncIterator[str]:
        self.asked.append(sid)
        while self.kept:
            if len(self.kept) == 3 and len(self.asked) == 1:
                raise OSError("the line broke")
            yield self.kept.pop()


async def test_the_provider_deletes_its_copies_only_where_that_is_asked_for(client: Client) -> None:
    provider = Erasing(5)
    async with bench_for(client) as bench:
        bench.outbox.erase_messages = provider.erase_messages  # type: ignore[attr-defined]
        for ana, asked in ((unique("contact-ana"), False), (unique("contact-ana"), True)):
            await told(person(bench, ana), "hello")
            receipt = await forget(bench, ana, provider_copies=asked)
            assert receipt.provider_messages == (5 if asked else None)
    assert provider.kept == []
    assert set(provider.asked) == {"pair"}


async def test_where_the_provider_cannot_delete_the_receipt_does_not_say_that_it_did(client: Client) -> None:
    async with bench_for(client) as bench:
        ana = unique("contact-ana")
        await told(person(bench, ana), "hello")
        assert (await forget(bench, ana, provider_copies=True)).provider_messages is None


async def test_memory_being_away_is_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = unique("contact-ana")
    await told(person(bench, ana), "hello")
    whole = bench.memory.forget
    tried = asyncio.Event()

    async def away(_: str) -> int:
        tried.set()
        raise MemoryUnavailable("refused")

    monkeypatch.setattr(bench.memory, "forget", away)
    asked = await ordered(bench, ana)
    await tried.wait()
    monkeypatch.setattr(bench.memory, "forget", whole)
    assert (await asked.result()).memories == 2
    assert await bench.memory.all_of(ana) == []


# --- kill -9 ---


class Slow:
    """A store whose deletion says that it began, and takes its time."""

    def __init__(self, store: QdrantStore, began: Path) -> None:
        self._store = store
        self._began = began

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def forget(self, contact_id: str) -> int:
        removed = await self._store.forget(contact_id)
        if not self._began.exists():
            self._began.touch()
            await asyncio.sleep(60)
        return removed


async def _work(address: str, queue: str, url: str, began: str) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    store = QdrantStore(AsyncQdrantClient(url=url, check_compatibility=False), HashingEmbedder(), timeout=30)
    book = QdrantContacts(AsyncQdrantClient(url=url, check_compatibility=False), timeout=30)
    bench = Bench(client, queue, memory=Slow(store, Path(began)), contacts=book)  # type: ignore[arg-type]
    async with bench.worker():
        await asyncio.Event().wait()


@contextmanager
def _worker(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "tests.integration.test_forgetting", *arguments], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _qdrant(path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "memory.embedded", "--path", str(path), "--port", "0", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["qdrant"]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@pytest.mark.slow
async def test_a_worker_killed_in_the_middle_leaves_an_order_that_is_carried_out_with_the_right_receipt(
    client: Client, temporal_address: str, tmp_path: Path
) -> None:
    queue, began, ana = f"forget-{uuid.uuid4().hex}", tmp_path / "began", unique("contact-ana")
    bench = Bench(client, queue)
    with _qdrant(tmp_path / "qdrant") as url:
        given = (temporal_address, queue, url, str(began))
        one = person(bench, ana)
        with _worker(*given) as process:
            await told(one, "my pin is 1111", "I live in Porto")
            asked = await ordered(bench, ana)
            await eventually(lambda: _exists(began), within=60)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert (await asked.describe()).status is WorkflowExecutionStatus.RUNNING
        with _worker(*given):
            receipt = await asked.result()
            assert (await one.transcript()).messages == ()
        store = QdrantStore(AsyncQdrantClient(url=url, check_compatibility=False), HashingEmbedder(), timeout=30)
        assert await store.all_of(ana) == []
        await store.close()
    # Counted before: what the first worker had deleted when it died is not missing here.
    assert (receipt.memories, receipt.messages, receipt.conversations) == (6, 4, (one.id,))
    assert b"1111" not in await histories(client, one.id)


async def _exists(path: Path) -> bool:
    return path.exists()


async def main() -> None:
    await _work(*sys.argv[1:])
    gc.collect()


if __name__ == "__main__":
    asyncio.run(main())
