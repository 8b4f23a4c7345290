"""A dependency-free embedder: words hashed into a fixed number of dimensions.

It knows no synonyms, so it is no substitute for a model. The unit tests use it because it loads nothing and gives the
same vectors everywhere.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_SUFFIXES = ("ing", "es", "ed", "s")

# A stem shorter than this says too little: "was" must not become "wa".
_SHORTEST_STEM = 4


class HashingEmbedder:
    """`dimension` 256 keeps collisions rare for the few hundred distinct words of a test."""

    def __init__(self, dimension: int = 256) -> None:
        self.dimension = dimension
        self.model = f"hashing-{dimension}"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self.dimension
        for word in _WORD.findall(text.lower()):
            digest = hashlib.blake2b(_stem(word).encode(), digest_size=8).digest()
            index = int.from_bytes(digest[:4], "big") % self.dimension
            vector[index] += 1.0 if digest[4] & 1 else -1.0
        norm = math.sqrt(sum(x * x for x in vector))
        if norm == 0.0:  # no words at all: any fixed direction will do, and cosine needs one
            vector[0] = norm = 1.0
        return [x / norm for x in vector]


def _stem(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            return word.removesuffix(suffix)
    return word
