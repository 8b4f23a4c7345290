"""Qdrant dies in the middle of a load, or is away while people text: nothing is lost, and no answer waits for it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from qdrant_client import AsyncQdrantClient
from temporalio.client import Client

from memory.embedders.hashing import HashingEmbedder
from memory.item import MESSAGE, MemoryItem, item_id
from memory.qdrant import QdrantStore
from memory.store import MemoryUnavailable
from tests.integration.harness import bench_for
from tests.support.ports import eventually, free_port
from workflows import policy

ROOT = Path(__file__).parents[2]
ITEMS, PEOPLE, BATCH = 10_000, 50, 100
# Seconds for which Qdrant is not there; a real minute, or whatever else, where somebody asks for it.
OUTAGE = float(os.environ.get("QDRANT_OUTAGE_SECONDS", "0"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def qdrant(path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "memory.embedded", "--path", str(path), "--port", str(port), "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        json.loads(process.stdout.readline())
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def store_at(port: int, *, timeout: float = 30.0) -> QdrantStore:
    client = AsyncQdrantClient(url=f"http://127.0.0.1:{port}", check_compatibility=False)
    return QdrantStore(client, HashingEmbedder(64), timeout=timeout)


def item(number: int) -> MemoryItem:
    return MemoryItem(
        id=item_id(f"IM{number}"),
        contact_id=f"contact-{number % PEOPLE}",
        conversation_id="c",
        channel="sms",
        turn=number,
        role="contact",
        text=f"note number {number}",
        at=NOW,
        source=f"IM{number}",
    )


async def write_all(store: QdrantStore, written: list[int]) -> None:
    """As the backlog does: what is refused is written again."""
    for start in range(0, ITEMS, BATCH):
        batch = [item(number) for number in range(start, start + BATCH)]
        while True:
            try:
                await store.remember(batch)
                break
            except MemoryUnavailable:
                await asyncio.sleep(0.1)
        written += [one.turn for one in batch]


@pytest.mark.slow
async def test_killed_three_times_in_ten_thousand_upserts_it_is_complete_and_searchable_afterwards(
    tmp_path: Path,
) -> None:
    port, written = free_port(), list[int]()
    store = store_at(port)
    writing = asyncio.create_task(write_all(store, written))
    try:
        for part in (0.2, 0.5, 0.8):
            with qdrant(tmp_path, port) as process:
                await eventually(lambda part=part: _reached(written, part), within=120)  # type: ignore[misc]
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
            assert not writing.done()
        with qdrant(tmp_path, port):
            await asyncio.wait_for(writing, 120)
            counts = [len(await store.all_of(f"contact-{n}")) for n in range(PEOPLE)]
            assert counts == [ITEMS // PEOPLE] * PEOPLE
            for number in range(0, ITEMS, 97):
                found = await store.recall(f"note number {number}", contact_id=f"contact-{number % PEOPLE}", limit=3)
                assert item(number).text in [row.text for row in found]
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await store.close()


async def _reached(written: list[int], part: float) -> bool:
    return len(written) >= part * ITEMS


@contextmanager
def silence(port: int) -> Iterator[None]:
    """Takes connections and never answers: worse than nobody being there."""
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        deaf.bind(("127.0.0.1", port))
        deaf.listen(64)
        yield


@pytest.mark.slow
async def test_while_qdrant_is_away_or_deaf_answers_go_out_within_its_timeout_and_nothing_is_missing_afterwards(
    client: Client, tmp_path: Path
) -> None:
    port = free_port()
    store = store_at(port, timeout=2.0)
    async with bench_for(client, memory=store) as bench:
        people = [bench.conversation() for _ in range(3)]
        waited = []

        async def text(words: str) -> None:
            for one in people:
                await one.text(f"{words} {one.id}")
            for one in people:
                record = await one.turn(one.count)
                assert record.outcome == "answered"
                waited.extend(step.milliseconds for step in record.steps if step.name == "recall")

        with qdrant(tmp_path, port):
            await text("before")
        gone = time.monotonic()
        await text("away")
        with silence(port):
            await text("deaf")
        rounds = 3
        while time.monotonic() - gone < OUTAGE:
            await asyncio.sleep(1)  # faster, and the fuse takes them for two bots
            await text(f"still away {rounds}")
            rounds += 1
        assert len(bench.outbox.bodies) == rounds * len(people)
        # Both sides of each; in a long outage summaries of what leaves the window, too.
        assert all([(await one.view()).unremembered >= 2 * (rounds - 1) for one in people])
        # Local activities have a bound of their own; a second more is the machine's.
        assert max(waited) <= (policy.RECALL.timeout.total_seconds() + 1) * 1000
        print(f"away for {time.monotonic() - gone:.0f} s: {len(waited)} answers, slowest recall {max(waited)} ms")
        with qdrant(tmp_path, port):
            for one in people:

                async def complete(contact_id: str = f"contact-{one.id}") -> bool:
                    return len([m for m in await store.all_of(contact_id) if m.kind == MESSAGE]) == 2 * rounds

                await eventually(complete, within=100)
            await text("again")
    await store.close()
