"""The code in our documents: blocks by language, and shell lines as the commands that a shell would make of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from string import Template

ROOT = Path(__file__).parents[2]
# What people read. The simulator's own is run, line by line, in tests/simulator/test_readme.py.
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/README.md")])
SHELLS = frozenset({"sh", "bash", "console", "shell"})

_BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_END = frozenset({"|", "||", "&&", ";", "&"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One program and what it is given. `where` is the folder that the lines before it have gone to."""

    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    where: Path = ROOT

    @property
    def program(self) -> str:
        return Path(self.words[0]).name if self.words else ""


def blocks(path: Path) -> Iterator[Block]:
    content = path.read_text()
    for found in _BLOCK.finditer(content):
        indent = found["indent"]
        lines = [line.removeprefix(indent) for line in found["text"].splitlines()]
        yield Block(
            document=path.relative_to(ROOT).as_posix(),
            line=content.count("\n", 0, found.start()) + 1,
            language=found["language"],
            text="\n".join(lines) + "\n",
        )


def every(*languages: str) -> list[Block]:
    return [block for path in DOCUMENTS for block in blocks(path) if block.language in languages]


def _typed(block: Block) -> str:
    """The lines of a block that somebody types; in a console those after the prompt."""
    text = block.text.replace("\\\n", " ")
    if block.language == "console":
        return "\n".join(line[2:] for line in text.splitlines() if line.startswith("$ "))
    return text


def commands(block: Block) -> Iterator[Command]:
    """Each command of a block of shell, with the variables that the block set filled in.

    Raises:
        ValueError: no shell would read the line.
    """
    known: dict[str, str] = {}
    where = ROOT
    for line in _typed(block).splitlines():
        for words in _split(line):
            assigned = list(takewhile(bool, map(_ASSIGNMENT.fullmatch, words)))
            environment = {found[1]: found[2] for found in assigned if found}
            filled = tuple(Template(word).safe_substitute(known) for word in words[len(assigned) :])
            if not filled:
                known |= environment
            elif filled[0] == "cd":
                where = (where / filled[1]).resolve()
            yield Command(words=filled, environment=environment, where=where)


def _split(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words: list[str] = []
    tokens = iter(lexer)
    for token in tokens:
        if token in _END:
            yield words
            words = []
        elif set(token) <= {"<", ">"}:
            next(tokens)
        else:
            words.append(token)
    if words:
        yield words
