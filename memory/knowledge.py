"""What a business knows of itself, searchable: the port, and the base that one process holds.

Sections are found by meaning, with shared words as the tie-break.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from memory import markdown
from memory.embedder import Embedder
from memory.markdown import Passage

log = structlog.get_logger(__name__)

# Small against the differences that meaning makes (about 0.1 between neighbours), enough to part equals.
_LEXICAL_WEIGHT = 0.05

# Seconds between two looks at a folder. A look reads its files, which takes a millisecond for a hundred of them.
LOOK_EVERY = 1.0

_WORD = re.compile(r"\w+")


class Knowledge(Protocol):
    """Passages that can be searched. `passages` is another tuple after they have changed."""

    @property
    def passages(self) -> tuple[Passage, ...]: ...

    async def prepare(self) -> None:
        """Makes it ready, so that nobody waits for it later; again, it looks whether something has changed."""
        ...

    async def search(self, query: str, limit: int = 3) -> list[Passage]:
        """The passages nearest to the query, best first."""
        ...


class KnowledgeBase:
    """The passages of all Markdown files under a folder, held in this process and read again when a file changes.

    The folder is read when the base is made, so that a wrong setting shows at start. One that is wrong later leaves
    things as they were.

    Raises ValueError, naming the setting, if there is no such folder or no Markdown text in it.
    """

    def __init__(self, folder: Path, embedder: Embedder, *, look_every: float = LOOK_EVERY) -> None:
        self._folder = Folder(folder, look_every=look_every)
        self._index = Index(embedder)
        self._index.passages = self._folder.passages
        self._preparing = asyncio.Lock()

    @property
    def passages(self) -> tuple[Passage, ...]:
        return self._index.passages

    async def prepare(self) -> None:
        async with self._preparing:
            if await self._folder.has_changed():
                self._index.passages = self._folder.passages
            await self._index.embed()

    async def search(self, query: str, limit: int = 3) -> list[Passage]:
        if limit < 1 or not query.strip():
            return []
        await self.prepare()
        return await self._index.search(query, limit)


class Folder:
    """A folder of Markdown, looked at again and again, by what its files hold."""

    def __init__(self, path: Path, *, look_every: float = LOOK_EVERY) -> None:
        self.path = path
        self._look_every = look_every
        found = markdown.files(path)
        self.passages = markdown.read(found, path)
        self._digest = markdown.digest(found)
        self._next_look = time.monotonic() + look_every

    async def has_changed(self) -> bool:
        """Whether `passages` are others than at the last look."""
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + self._look_every
        return await asyncio.to_thread(self._look)

    def _look(self) -> bool:
        try:
            found = markdown.files(self.path)
            if (digest := markdown.digest(found)) == self._digest:
                return False
            self._digest = digest
            self.passages = markdown.read(found, self.path)
        except (ValueError, OSError) as error:  # half a change: an editor that writes, a folder being swapped
            log.warning("the knowledge stays as it was", error=str(error))
            return False
        log.info("the knowledge has changed", passages=len(self.passages))
        return True


class Index:
    """Passages with their vectors, in this process. A passage that stays keeps its vector when others change."""

    def __init__(self, embedder: Embedder) -> None:
        self.passages: tuple[Passage, ...] = ()
        self.vectors: dict[Passage, Sequence[float]] = {}
        self._embedder = embedder
        self._matrix: NDArray[np.float32] | None = None
        self._of: tuple[Passage, ...] = ()

    async def embed(self) -> None:
        """A vector for each passage that has none yet."""
        if self._of is self.passages:
            return
        passages = self.passages
        missing = [passage for passage in passages if passage not in self.vectors]
        embedded = await self._embedder.embed([worded(passage) for passage in missing])
        known = {**self.vectors, **dict(zip(missing, embedded, strict=True))}
        self.vectors = {passage: known[passage] for passage in passages}
        self._matrix = np.array([self.vectors[passage] for passage in passages], dtype=np.float32)
        self._of = passages

    async def search(self, query: str, limit: int) -> list[Passage]:
        """The passages nearest to the query, best first. They must be embedded."""
        [vector] = await self._embedder.embed([query])
        if not self._of:
            return []
        cosines = np.asarray(self._matrix) @ np.array(vector, dtype=np.float32)
        scored = [replace(passage, score=float(cosine)) for passage, cosine in zip(self._of, cosines, strict=True)]
        return ranked(query, scored)[:limit]


def worded(passage: Passage) -> str:
    """What is embedded of a passage: "From 39 dollars." alone says little."""
    return f"{passage.heading}\n{passage.text}"


def ranked(query: str, passages: Sequence[Passage]) -> list[Passage]:
    """Best first: by their scores, and among equals by the words they share with the query."""
    words = set(_WORD.findall(query.lower()))

    def rank(passage: Passage) -> float:
        present = set(_WORD.findall(f"{passage.heading} {passage.text}".lower()))
        return passage.score + _LEXICAL_WEIGHT * len(words & present) / (len(words) or 1)

    return sorted(passages, key=lambda passage: -rank(passage))
