"""Embeds a text once: what a turn recalls by, it remembers a moment later."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from memory.embedder import Embedder

# Turns between two uses of one text, over all conversations of a process. 512 vectors of 384 floats are about 6 MB.
SIZE = 512


class CachedEmbedder:
    """Any embedder, with its latest vectors kept."""

    def __init__(self, embedder: Embedder, *, size: int = SIZE) -> None:
        self._embedder = embedder
        self._size = size
        self._vectors: OrderedDict[str, list[float]] = OrderedDict()

    @property
    def model(self) -> str:
        return self._embedder.model

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        found = {text: self._vectors[text] for text in texts if text in self._vectors}
        missing = list(dict.fromkeys(text for text in texts if text not in found))
        found.update(zip(missing, await self._embedder.embed(missing), strict=True))
        for text in texts:
            self._vectors[text] = found[text]
            self._vectors.move_to_end(text)
        while len(self._vectors) > self._size:
            self._vectors.popitem(last=False)
        return [found[text] for text in texts]
