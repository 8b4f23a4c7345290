"""A folder of Markdown as passages: its sections, as plain text that a text message may hold."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# A longer section is split at its paragraphs: the embedder reads 256 tokens, which is about 1,000 characters.
MAX_PASSAGE = 800

_FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n(?:---|\.\.\.)\s*(?:\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-{2,})\s*$")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A section. `heading` is its path ("Repairs > Prices"), `source` its file, `score` its cosine to the query."""

    text: str
    heading: str
    source: str
    score: float = 0.0


def read(files: Mapping[str, bytes], folder: Path) -> tuple[Passage, ...]:
    """The passages of all files, in their order. Raises ValueError, naming the setting, if there is no text."""
    passages: list[Passage] = []
    for source, content in files.items():
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"MESSAGING_KNOWLEDGE: {str(folder / source)!r} is not UTF-8 text") from error
        passages.extend(chunk(text, source=source))
    if not passages:
        raise ValueError(f"MESSAGING_KNOWLEDGE: the folder {str(folder)!r} holds no Markdown file (*.md) with text")
    return tuple(passages)


def files(folder: Path) -> dict[str, bytes]:
    """The Markdown files under a folder by their path in it. Raises ValueError, naming the setting."""
    if not folder.is_dir():
        raise ValueError(f"MESSAGING_KNOWLEDGE: there is no folder {str(folder)!r}")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".md", ".markdown"} and path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def digest(given: Mapping[str, bytes]) -> str:
    """The same for the same files with the same contents, and for no others."""
    total = hashlib.blake2b(digest_size=16)
    for source, content in given.items():
        for part in (source.encode(), content):
            total.update(len(part).to_bytes(8, "big"))
            total.update(part)
    return total.hexdigest()


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
