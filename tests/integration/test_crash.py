"""Processes that are killed with -9, and what the person sees of it: one answer each.

Run as a module, this is the worker that the tests kill: `python -m tests.integration.test_crash ADDRESS QUEUE FOLDER`.
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
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from agents.turn import Draft, Turn
from messaging.model import DeliveryStatus, Message, SendOutcome, SendProof
from tests.integration.harness import Agent, Bench, Outbox, bench_for
from tests.support.ports import eventually, free_port
from tests.support.server import temporal_server
from workflows.state import Outcome

ROOT = Path(__file__).parents[2]
WRITING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a worker did, in files that outlive it."""

    folder: Path

    def write(self, name: str, **entry: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self, name: str) -> list[dict[str, str]]:
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def bodies(self) -> list[str]:
        return [entry["body"] for entry in self.read("sent")]

    async def has(self, name: str, count: int = 1) -> None:
        async def look() -> bool:
            return len(self.read(name)) >= count

        await eventually(look, within=60)


class LedgerOutbox(Outbox):
    """A provider whose messages are lines of a file. A file named `hang` makes its first send take and not return."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    async def send_message(self, sid: str, message: Message, *, key: str | None = None) -> Message:
        self._ledger.write("sent", key=key or "", body=message.body)
        count = len(self._ledger.bodies)
        if count == 1 and (self._ledger.folder / "hang").exists():
            self._ledger.write("hung")
            await asyncio.Event().wait()
        return Message(sid=f"SM{count}", body=message.body, delivery_status=DeliveryStatus.QUEUED)

    async def find_message(
        self,
        sid: str,
        key: str,
        *,
        message: Message | None = None,
        since: datetime | None = None,
        known: Collection[str] = (),
    ) -> SendProof:
        self._ledger.write("looked", key=key)
        for number, entry in enumerate(self._ledger.read("sent"), start=1):
            if entry["key"] == key:
                found = Message(sid=f"SM{number}", body=entry["body"])
                return SendProof(outcome=SendOutcome.CONFIRMED, message=found)
        return SendProof(outcome=SendOutcome.ABSENT)


def _agent(ledger: Ledger) -> Agent:
    async def write(turn: Turn) -> Draft:
        ledger.write("writing", text=turn.text)
        await asyncio.sleep(WRITING_SECONDS)
        return Draft(text=f"re: {turn.text}")

    return Agent(write)


async def _work(address: str, queue: str, folder: Path) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    ledger = Ledger(folder)
    async with Bench(client, queue, outbox=LedgerOutbox(ledger), agent=_agent(ledger)).worker():
        await asyncio.Event().wait()


@contextmanager
def _worker(address: str, queue: str, ledger: Ledger) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.integration.test_crash", address, queue, str(ledger.folder)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


@pytest.mark.slow
async def test_a_worker_killed_while_the_agent_writes_leaves_one_answer(
    client: Client, temporal_address: str, ledger: Ledger
) -> None:
    queue = f"crash-{uuid.uuid4().hex}"
    person = Bench(client, queue).conversation()
    with _worker(temporal_address, queue, ledger):
        await person.text("hello")
        await ledger.has("writing")
    assert ledger.bodies == []

    with _worker(temporal_address, queue, ledger):
        turn = await person.turn(1, within=90)
        await person.text("bye")
        await person.turn(2, within=60)

    assert turn.outcome is Outcome.ANSWERED
    assert [entry["text"] for entry in ledger.read("writing")] == ["hello", "hello", "bye"]
    assert ledger.bodies == ["re: hello", "re: bye"]


@pytest.mark.slow
async def test_a_worker_killed_after_the_provider_took_the_message_looks_and_does_not_repeat_it(
    client: Client, temporal_address: str, ledger: Ledger
) -> None:
    queue = f"crash-{uuid.uuid4().hex}"
    person = Bench(client, queue).conversation()
    (ledger.folder / "hang").touch()
    with _worker(temporal_address, queue, ledger):
        await person.text("hello")
        await ledger.has("hung")

    with _worker(temporal_address, queue, ledger):
        turn = await person.turn(1, within=90)
        await person.text("bye")
        await person.turn(2, within=60)

    assert turn.outcome is Outcome.ANSWERED
    assert ledger.bodies == ["re: hello", "re: bye"]
    assert [entry["key"] for entry in ledger.read("looked")] == [ledger.read("sent")[0]["key"]]


def _pid_of_server(port: int) -> int:
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    [line] = [line for line in listed.splitlines() if "server start-dev" in line and f"--port {port} " in line]
    return int(line.split()[0])


@pytest.mark.slow
async def test_a_server_killed_in_the_middle_of_a_conversation_loses_nothing(tmp_path: Path) -> None:
    port, database = free_port(), tmp_path / "temporal.db"
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def write(turn: Turn) -> Draft:
        if turn.text == "two":
            writing.set()
            await go_on.wait()
        return Draft(text=f"re: {turn.text}")

    with ExitStack() as servers:
        address = servers.enter_context(temporal_server(port=port, database=database))
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        async with bench_for(client, agent=Agent(write)) as bench:
            person, other = bench.conversation(), bench.conversation()
            await person.text("one")
            await person.turn(1)
            await person.text("two")
            await writing.wait()
            await other.text("elsewhere")

            os.kill(_pid_of_server(port), signal.SIGKILL)
            servers.enter_context(temporal_server(port=port, database=database))
            go_on.set()

            await person.turn(2, within=90)
            await other.turn(1, within=90)
            await person.text("three")
            await person.turn(3, within=60)
            said = [m.body for m in (await person.transcript()).messages]

    assert said == ["one", "re: one", "two", "re: two", "three", "re: three"]
    assert sorted(bench.outbox.bodies) == sorted(["re: one", "re: two", "re: three", "re: elsewhere"])


async def test_conversations_that_do_not_fit_a_workers_cache_are_answered_once_each(client: Client) -> None:
    bench, complaints = Bench(client, f"crash-{uuid.uuid4().hex}"), _Complaints()

    async def write(turn: Turn) -> Draft:
        await asyncio.sleep(0.5)  # long enough for all the others to come by
        return Draft(text=f"re: {turn.text}")

    bench.agent.reply_with = write
    with complaints.heard():
        async with bench.worker(max_cached_workflows=2, max_concurrent_workflow_task_polls=2):
            people = [bench.conversation() for _ in range(6)]
            for number, person in enumerate(people):
                await person.text(f"text {number}")
            for person in people:
                await person.turn(1)
            gc.collect()

    assert sorted(bench.outbox.bodies) == [f"re: text {number}" for number in range(6)]
    assert complaints.of == []


class _Complaints:
    """What Python prints of errors that nobody can catch: those of coroutines that are thrown away."""

    def __init__(self) -> None:
        self.of: list[str] = []

    @contextmanager
    def heard(self) -> Iterator[None]:
        before = sys.unraisablehook
        sys.unraisablehook = self._note
        gc.collect()
        self.of.clear()  # what tests before this one left behind
        try:
            yield
        finally:
            sys.unraisablehook = before

    def _note(self, unraisable: Any) -> None:
        self.of.append(f"{unraisable.object!r}: {unraisable.exc_value!r}")


async def test_a_worker_that_stops_in_the_middle_of_a_turn_goes_quietly_and_the_next_one_answers(
    client: Client,
) -> None:
    complaints, writing, agent = _Complaints(), asyncio.Event(), Agent()

    async def write(turn: Turn) -> Draft:
        writing.set()
        if len(agent.turns) == 1:
            await asyncio.Event().wait()
        return Draft(text=f"re: {turn.text}")

    agent.reply_with = write
    queue = f"crash-{uuid.uuid4().hex}"
    bench = Bench(client, queue, agent=agent)
    person = bench.conversation()
    with complaints.heard():
        async with bench.worker():
            await person.text("hello")
            await writing.wait()
        gc.collect()
        async with bench.worker():
            turn = await person.turn(1)
        gc.collect()

    assert turn.outcome is Outcome.ANSWERED
    assert bench.outbox.bodies == ["re: hello"]
    assert complaints.of == []


async def test_texts_that_waited_for_a_worker_are_screened_once_however_often_the_answer_is_drafted(
    client: Client,
) -> None:
    """START opened the conversation again; in the second draft it must not reach the agent as something said."""
    bench = Bench(client, f"crash-{uuid.uuid4().hex}")
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def write(turn: Turn) -> Draft:
        writing.set()
        await go_on.wait()
        return Draft(text=f"re: {turn.text}")

    bench.agent.reply_with = write
    person = bench.conversation()
    async with bench.worker():
        await person.text("STOP")
        await person.turn(1)
    await person.text("START")
    await person.text("hello")
    async with bench.worker():
        await writing.wait()
        await person.text("are you there?")
        go_on.set()
        await person.turn(2)

    assert bench.outbox.bodies == ["re: hello\nare you there?"]


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
