"""The port that turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Embedder(Protocol):
    """`model` and `dimension` are stored beside the vectors: two embedders that agree on both are interchangeable."""

    @property
    def model(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit-length vector of `dimension` floats for each text, in order."""
        ...
