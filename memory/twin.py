"""The in-memory twin of the Qdrant store: same results in kind, nothing to start. Ships for tests and demos."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from memory import chain, ranking
from memory.chain import Link
from memory.embedder import Embedder
from memory.item import FACT, MemoryItem, Recalled, item_id

_WORD = re.compile(r"\w+")

# As in the Qdrant store.
_RRF_K = 2

# Robertson's usual values, and Qdrant's defaults.
_BM25_K1, _BM25_B = 1.2, 0.75


class InMemoryStore:
    """Holds everything in one dict. `unavailable`, when set, is raised by every call: an outage at will."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._items: dict[str, tuple[MemoryItem, list[float]]] = {}
        self.unavailable: Exception | None = None

    async def remember(self, items: Sequence[MemoryItem]) -> None:
        self._check()
        vectors = await self._embedder.embed([item.meaning for item in items])
        for item, vector in zip(items, vectors, strict=True):
            self._items[item.id] = (item, vector)

    async def recall(
        self,
        query: str,
        *,
        contact_id: str,
        also: Collection[str] = (),
        limit: int = 5,
        exclude: Collection[str] = (),
    ) -> list[Recalled]:
        self._check()
        people, superseded = {contact_id, *also}, self._superseded()
        mine = [
            (item, vector)
            for item, vector in self._items.values()
            if item.contact_id in people
            and item.source not in exclude
            and not (item.kind == FACT and item.id in superseded)
        ]
        if not mine or limit < 1 or not query.strip():
            return []
        [wanted] = await self._embedder.embed([query])
        dense = [_dot(wanted, vector) for _, vector in mine]
        scores = _fused(dense, _bm25(_words(query), [_words(f"{item.preceding} {item.text}") for item, _ in mine]))
        best = sorted(range(len(mine)), key=lambda i: -scores[i])[: ranking.depth(limit)]
        found = [_recalled(mine[i][0], scores[i], superseded.get(mine[i][0].id)) for i in best]
        return ranking.ranked(found)[:limit]

    async def all_of(self, contact_id: str) -> list[Recalled]:
        self._check()
        superseded = self._superseded()
        mine = [item for item, _ in self._items.values() if item.contact_id == contact_id]
        return [_recalled(item, 0.0, superseded.get(item.id)) for item in sorted(mine, key=lambda item: item.at)]

    async def forget(self, contact_id: str) -> int:
        self._check()
        mine = [key for key, (item, _) in self._items.items() if item.contact_id == contact_id]
        for key in mine:
            del self._items[key]
        return len(mine)

    async def close(self) -> None:
        """Nothing to release; what was remembered stays, as it would on disk."""

    def _superseded(self) -> dict[str, datetime | None]:
        """The ids of facts that do not hold any more, and of the messages that told them, with the time since when."""
        chains: dict[tuple[str, str], list[Link]] = {}
        for item, _ in self._items.values():
            if item.kind == FACT and item.key:
                link = Link(id=item.id, source=item.source, at=item.at)
                chains.setdefault((item.contact_id, item.key), []).append(link)
        changes = [change for links in chains.values() for change in chain.changes(links)]
        return {told: change.invalid_at for change in changes for told in (change.id, item_id(change.source))}

    def _check(self) -> None:
        if self.unavailable is not None:
            raise self.unavailable


def _recalled(item: MemoryItem, score: float, invalid_at: datetime | None = None) -> Recalled:
    return Recalled(
        text=item.text,
        role=item.role,
        at=item.at,
        channel=item.channel,
        conversation_id=item.conversation_id,
        turn=item.turn,
        score=score,
        source=item.source,
        kind=item.kind,
        key=item.key,
        preceding=item.preceding,
        invalid_at=invalid_at,
    )


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _words(text: str) -> list[str]:
    return [word.removesuffix("s") for word in _WORD.findall(text.lower())]


def _bm25(query: Sequence[str], documents: Sequence[Sequence[str]]) -> list[float]:
    counts = [Counter(document) for document in documents]
    average = sum(len(document) for document in documents) / len(documents) or 1.0
    scores = [0.0] * len(documents)
    for word in set(query):
        holding = sum(1 for count in counts if word in count)
        idf = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
        for i, count in enumerate(counts):
            norm = _BM25_K1 * (1 - _BM25_B + _BM25_B * len(documents[i]) / average)
            scores[i] += idf * count[word] * (_BM25_K1 + 1) / (count[word] + norm)
    return scores


def _fused(dense: Sequence[float], sparse: Sequence[float]) -> list[float]:
    """Reciprocal ranks added up. Like Qdrant's sparse search, the second ranking holds only what shares a word."""
    fused = [0.0] * len(dense)
    for position, i in enumerate(sorted(range(len(dense)), key=lambda i: -dense[i])):
        fused[i] += 1 / (_RRF_K + position)
    matching = [i for i in range(len(sparse)) if sparse[i] > 0]
    for position, i in enumerate(sorted(matching, key=lambda i: -sparse[i])):
        fused[i] += 1 / (_RRF_K + position)
    return fused
