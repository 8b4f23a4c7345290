"""How long a search takes among 100,000 memories of 5,000 people, in the embedded Qdrant as a process of its own.

The stored vectors are made up, the questions are embedded for real. What is measured is the whole way: embedding,
client, HTTP, both searches and their fusion.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import qdrant_edge as edge
from qdrant_client import AsyncQdrantClient

from memory.embedded.app import create_app
from memory.embedder import Embedder
from memory.item import item_id
from memory.qdrant import QdrantStore
from tests.bench.memory.chatter import CHATTER
from tests.bench.memory.people import BEGINNING
from tests.bench.memory.topics import TOPICS

_COLLECTION = "messaging_memory"
_BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Milliseconds, sorted. `searches` have their question's vector already, `recalls` make it."""

    memories: int
    people: int
    filled_in: float
    searches: tuple[float, ...]
    recalls: tuple[float, ...]


async def measure(embedder: Embedder, *, memories: int, people: int, searches: int = 500, seed: int = 7) -> Load:
    """Fill a store, then search it for one person at a time."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        await _fill(Path(folder), embedder, memories=memories, people=people, seed=seed)
        filled_in = time.perf_counter() - started
        with _served(Path(folder)) as url:
            store = QdrantStore(AsyncQdrantClient(url=url, check_compatibility=False), embedder, timeout=60)
            questions = [chance.choice(topic.asked) for topic in TOPICS]
            fresh = [f"{chance.choice(questions)} I asked before, number {n}" for n in range(searches)]
            known = [chance.choice(questions) for _ in range(searches)]
            await embedder.embed(questions)
            recalls = [await _timed(store, text, f"contact-{chance.randrange(people)}") for text in fresh]
            times = [await _timed(store, text, f"contact-{chance.randrange(people)}") for text in known]
            await store.close()
    return Load(
        memories=memories,
        people=people,
        filled_in=filled_in,
        searches=tuple(sorted(times)),
        recalls=tuple(sorted(recalls)),
    )


def percentile(sorted_times: tuple[float, ...], part: float) -> float:
    """The time within which `part` of all stay."""
    return sorted_times[min(len(sorted_times) - 1, int(part * len(sorted_times)))]


async def _timed(store: QdrantStore, question: str, contact_id: str) -> float:
    started = time.perf_counter()
    found = await store.recall(question, contact_id=contact_id, limit=5)
    elapsed = (time.perf_counter() - started) * 1000
    if len(found) != 5:
        raise RuntimeError(f"{len(found)} memories found for {contact_id}, 5 expected")
    return elapsed


async def _fill(folder: Path, embedder: Embedder, *, memories: int, people: int, seed: int) -> None:
    """Past the REST interface: it is the search that is measured."""
    app = create_app(folder)
    client = AsyncQdrantClient(url="http://e", transport=httpx.ASGITransport(app), check_compatibility=False)
    await QdrantStore(client, embedder, timeout=60).prepare()
    await client.close()
    collection = app.state.shards.get(_COLLECTION)
    numbers, bm25 = np.random.default_rng(seed), edge.Bm25()
    texts = [text for pair in CHATTER for text in pair]
    sparse = [bm25.embed_document(text) for text in texts]
    for start in range(0, memories, _BATCH):
        dense = numbers.standard_normal((_BATCH, embedder.dimension)).astype(np.float32)
        dense /= np.linalg.norm(dense, axis=1, keepdims=True)
        points = []
        for row, number in enumerate(range(start, min(start + _BATCH, memories))):
            which = number % len(texts)
            # One text in two of them, so that no two of one person's are told in the same words.
            payload = _payload(f"contact-{number % people}", f"{texts[which]} ({number})", number)
            vector = {"dense": dense[row].tolist(), "text": sparse[which]}
            points.append(edge.Point(item_id(f"load-{number}"), vector, payload))
        collection.update(edge.UpdateOperation.upsert_points(points))
    app.state.shards.close()


def _payload(contact_id: str, text: str, number: int) -> dict[str, Any]:
    return {
        "tenant": "default",
        "contact_id": contact_id,
        "conversation_id": f"{contact_id}-sms",
        "channel": "sms",
        "turn": number,
        "role": "contact",
        "text": text,
        "at": (BEGINNING + timedelta(minutes=number)).isoformat(),
        "source": f"load-{number}",
        "kind": "message",
        "key": "",
        "preceding": "",
    }


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "memory.embedded", "--path", str(folder), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["qdrant"]
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()
