"""`messaging contacts`: what is known of a person, whose ids are whose, and forgetting."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import AsyncQdrantClient
from temporalio.client import Client

from memory.embedders.minilm import MiniLmEmbedder
from memory.item import FACT, MemoryItem, item_id
from memory.qdrant import QdrantStore
from memory.qdrant_contacts import QdrantContacts
from messaging.model import Address
from runtime import attributes
from tests.integration.harness import bench_for
from workflows import ids

ROOT = Path(__file__).parents[2]
KEY = "a-key-of-the-tests-0123456789"
NUMBER = "+15550100017"
CONTACT = ids.contact_id(KEY.encode(), Address.parse(NUMBER))
OTHER = "contact-of-the-same-person"


@dataclass(frozen=True, slots=True)
class Command:
    """Runs `messaging contacts` as a process."""

    environment: dict[str, str]
    folder: Path

    async def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cli", "contacts", *arguments],
            env={**self.environment, "PYTHONPATH": str(ROOT)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    async def json(self, *arguments: str) -> dict[str, Any]:
        done = await self(*arguments, "--json")
        assert (done.returncode, done.stderr) == (0, ""), done
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@contextmanager
def qdrant(path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "memory.embedded", "--path", str(path), "--port", "0", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["qdrant"]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def items(contact_id: str) -> list[MemoryItem]:
    return [
        MemoryItem(
            id=item_id(f"{contact_id}-{n}"),
            contact_id=contact_id,
            conversation_id=f"of-{contact_id}",
            channel="sms",
            turn=n,
            role="contact",
            text=text,
            at=datetime(2026, 1, 1, n, tzinfo=UTC),
            source=f"{contact_id}-{n}",
            kind=kind,
            key="residence" if kind == FACT else "",
        )
        for n, (text, kind) in enumerate((("my secret is zebra", "message"), ("I live in Porto", FACT)))
    ]


@pytest.mark.slow
async def test_a_person_is_shown_merged_unmerged_and_forgotten(
    client: Client, temporal_address: str, tmp_path: Path
) -> None:
    await attributes.ensure(client)
    with qdrant(tmp_path / "qdrant") as url:
        client_of = [AsyncQdrantClient(url=url, check_compatibility=False) for _ in range(2)]
        store = QdrantStore(client_of[0], MiniLmEmbedder(), timeout=30)
        book = QdrantContacts(client_of[1], timeout=30)
        await store.remember([*items(CONTACT), *items(OTHER), *items("contact-neighbour")])
        async with bench_for(client, memory=store, contacts=book) as bench:
            contacts = Command(
                {
                    "TEMPORAL_ADDRESS": temporal_address,
                    "TEMPORAL_TASK_QUEUE": bench.queue,
                    "QDRANT_URL": url,
                    "MESSAGING_ID_KEY": KEY,
                },
                tmp_path,
            )
            shown = await contacts.json("show", NUMBER)
            assert (shown["contact_ids"], shown["memories"], shown["channels"]) == ([CONTACT], 2, {"sms": 2})
            assert [fact["text"] for fact in shown["facts"]] == ["I live in Porto"]
            assert "zebra" not in json.dumps(shown)
            plain = await contacts("show", f"whatsapp:{NUMBER}")
            assert (plain.returncode, plain.stderr) == (0, "")
            assert "I live in Porto" in plain.stdout
            assert NUMBER not in plain.stdout

            merged = await contacts.json("merge", NUMBER, OTHER, "--by", "bo", "--reason", "said so")
            assert merged == {"merged": True, "contact_ids": [CONTACT, OTHER]}
            assert (await contacts.json("show", OTHER))["memories"] == 4
            await contacts.json("unmerge", OTHER, NUMBER, "--by", "bo")
            shown = await contacts.json("show", OTHER)
            assert (shown["memories"], shown["links"][0]["ended_by"]) == (2, "bo")
            await contacts.json("merge", NUMBER, OTHER, "--by", "bo")

            receipt = await contacts.json("forget", NUMBER, "--yes", "--by", "bo")
            assert (receipt["memories"], receipt["links"], receipt["by"]) == (4, 2, "bo")
            assert set(receipt["contact_ids"]) == {CONTACT, OTHER}
            assert len(await store.all_of("contact-neighbour")) == 2

            for arguments, words in (
                (("show", NUMBER), "nothing is known"),
                (("show", "somebody"), "must be a contact's id"),
                (("merge", NUMBER, NUMBER, "--by", "bo"), "itself"),
                (("unmerge", NUMBER, OTHER, "--by", "bo"), "not merged"),
            ):
                refused = await contacts(*arguments)
                assert refused.returncode == 1
                assert words in refused.stderr
                assert len(refused.stderr.splitlines()) == 1
            assert (await contacts("merge", NUMBER, OTHER)).returncode == 2  # nobody says so
        await store.close()
        await book.close()
    gone = await contacts("show", NUMBER)
    assert (gone.returncode, "QDRANT_URL" in gone.stderr) == (3, True)
