"""The cached embedder: the same vectors, for less work, within bounds."""

from __future__ import annotations

from collections.abc import Sequence

from memory.embedders.cached import CachedEmbedder
from memory.embedders.hashing import HashingEmbedder


class Counting(HashingEmbedder):
    """Keeps every text it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        return await super().embed(texts)


async def test_a_text_is_embedded_once_and_every_answer_is_the_embedder_s_own() -> None:
    counting = Counting()
    cached = CachedEmbedder(counting)
    texts = ["one", "two", "one"]

    assert await cached.embed(texts) == await HashingEmbedder().embed(texts)
    assert await cached.embed(["two", "three"]) == await HashingEmbedder().embed(["two", "three"])
    assert counting.asked == ["one", "two", "three"]
    assert (cached.model, cached.dimension) == (counting.model, counting.dimension)


async def test_only_the_latest_texts_are_kept() -> None:
    counting = Counting()
    cached = CachedEmbedder(counting, size=2)
    for text in ("one", "two", "one", "three", "one", "two"):
        await cached.embed([text])

    assert counting.asked == ["one", "two", "three", "two"]
