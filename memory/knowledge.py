"""A folder of Markdown as a searchable knowledge base, held in this process.

Sections are found by meaning, with shared words as the tie-break. The folder is read when the base is made, so that a
wrong setting shows at start; it is embedded once, at the first search or by `prepare`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memory.embedder import Embedder

# A longer section is split at its paragraphs: the embedder reads 256 tokens, which is about 1,000 characters.
MAX_PASSAGE = 800

# Small against the differences that meaning makes (about 0.1 between neighbours), enough to part equals.
_LEXICAL_WEIGHT = 0.05

_FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n(?:---|\.\.\.)\s*(?:\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-{2,})\s*$")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A section. `heading` is its path ("Repairs > Prices"), `source` its file, `score` its cosine to the query."""

    text: str
    heading: str
    source: str
    score: float = 0.0


class KnowledgeBase:
    """The passages of all Markdown files under a folder.

    Raises ValueError, naming the setting, if there is no such folder or no Markdown text in it.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._embedder = embedder
        self._passages = tuple(_read(folder))
        self._vectors: NDArray[np.float32] | None = None
        self._preparing = asyncio.Lock()

    @property
    def passages(self) -> tuple[Passage, ...]:
        return self._passages

    async def prepare(self) -> None:
        """Embeds every passage, once."""
        async with self._preparing:
            if self._vectors is None:
                texts = [f"{passage.heading}\n{passage.text}" for passage in self._passages]
                self._vectors = np.array(await self._embedder.embed(texts), dtype=np.float32)

    async def search(self, query: str, limit: int = 3) -> list[Passage]:
        """The passages nearest to the query, best first."""
        if limit < 1 or not query.strip():
            return []
        await self.prepare()
        [vector] = await self._embedder.embed([query])
        cosines = np.asarray(self._vectors) @ np.array(vector, dtype=np.float32)
        words = set(_WORD.findall(query.lower()))
        ranking = [float(cosine) + self._shared(words, i) for i, cosine in enumerate(cosines)]
        best = sorted(range(len(ranking)), key=lambda i: -ranking[i])[:limit]
        return [replace(self._passages[i], score=float(cosines[i])) for i in best]

    def _shared(self, words: set[str], index: int) -> float:
        passage = self._passages[index]
        present = set(_WORD.findall(f"{passage.heading} {passage.text}".lower()))
        return _LEXICAL_WEIGHT * len(words & present) / (len(words) or 1)


def _read(folder: Path) -> list[Passage]:
    if not folder.is_dir():
        raise ValueError(f"MESSAGING_KNOWLEDGE: there is no folder {str(folder)!r}")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".md", ".markdown"} and path.is_file())
    passages = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"MESSAGING_KNOWLEDGE: {str(file)!r} is not UTF-8 text") from error
        passages.extend(chunk(text, source=file.relative_to(folder).as_posix()))
    if not passages:
        raise ValueError(f"MESSAGING_KNOWLEDGE: the folder {str(folder)!r} holds no Markdown file (*.md) with text")
    return passages


def chunk(markdown: str, *, source: str) -> list[Passage]:
    """The sections of one file as plain text, none much longer than MAX_PASSAGE."""
    path: list[str] = []
    lines: list[str] = []
    passages: list[Passage] = []

    def close() -> None:
        heading = " > ".join(part for part in path if part) or _title(source)
        passages.extend(Passage(text=text, heading=heading, source=source) for text in _parts("\n".join(lines)))
        lines.clear()

    for level, line in _lines(markdown):
        if level == 0:
            lines.append(line)
            continue
        close()
        path[level - 1 :] = [""] * (level - 1 - len(path)) + [line]
    close()
    return passages


def _lines(markdown: str) -> Iterator[tuple[int, str]]:
    """Each line as plain text with its heading level, 0 for text."""
    text = _COMMENT.sub("", _FRONT_MATTER.sub("", markdown.replace("\r\n", "\n")))
    rows, fenced = text.split("\n"), False
    skip = False
    for i, row in enumerate(rows):
        if skip:
            skip = False
            continue
        if _FENCE.match(row):
            fenced = not fenced
            continue
        following = rows[i + 1] if i + 1 < len(rows) else ""
        if fenced:
            yield 0, row.strip()
        elif found := _HEADING.match(row):
            yield len(found[1]), _plain(found[2])
        elif row.strip() and "|" not in row and (underline := _UNDERLINE.match(following)) and row[0] not in "-*+>":
            skip = True
            yield 1 if "=" in underline[1] else 2, _plain(row)
        elif not _TABLE_RULE.match(row):
            yield 0, _plain(row)


def _plain(row: str) -> str:
    """A line of Markdown as a text message may hold it."""
    row = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", row.strip())
    row = re.sub(r"\[([^\]]+)\]\((https?://[^)\s]+|mailto:[^)\s]+)[^)]*\)", _link, row)
    row = re.sub(r"\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", row)
    row = re.sub(r"<(https?://[^>]+)>", r"\1", row)
    row = re.sub(r"</?[a-zA-Z][^>]*>", "", row)
    row = re.sub(r"^>\s?", "", row)
    row = re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", row)
    row = re.sub(r"(?<![\w*])[*_]([^*_\s](?:[^*_]*[^*_\s])?)[*_](?![\w*])", r"\1", row)
    if row.startswith("|"):
        cells = [cell.strip() for cell in row.strip("|").split("|") if cell.strip()]
        row = "- " + ": ".join([*cells[:1], ", ".join(cells[1:])] if len(cells) > 1 else cells) if cells else ""
    return re.sub(r"\\([\\`*_{}\[\]()#+.!|-])", r"\1", row)


def _link(found: re.Match[str]) -> str:
    text, address = found[1], found[2].removeprefix("mailto:")
    return text if text == address else f"{text} ({address})"


def _parts(text: str) -> list[str]:
    """The text in pieces of whole paragraphs."""
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        piece = "\n".join(row for row in paragraph.split("\n") if row.strip()).strip()
        if not piece:
            continue
        if parts and len(parts[-1]) + len(piece) < MAX_PASSAGE:
            parts[-1] = f"{parts[-1]}\n{piece}"
        else:
            parts.extend(_cut(piece))
    return parts


def _cut(paragraph: str) -> Sequence[str]:
    """A paragraph that is too long, at its lines and sentences."""
    if len(paragraph) <= MAX_PASSAGE:
        return [paragraph]
    pieces = [""]
    for sentence in re.split(r"(?<=[.!?])\s+|\n", paragraph):
        if pieces[-1] and len(pieces[-1]) + len(sentence) > MAX_PASSAGE:
            pieces.append("")
        pieces[-1] = f"{pieces[-1]}\n{sentence}".strip()
    return pieces


def _title(source: str) -> str:
    return Path(source).stem.replace("-", " ").replace("_", " ").strip().capitalize()
