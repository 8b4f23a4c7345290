"""The service itself. Pigeonhole is fictitious, so a folder stands in for it; yours is an HTTP client or an SDK.

A conversation is a file of JSON, its letters are lines of JSON in another.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Letters:
    """Reads and writes one account's folder. Every method may raise OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder, unless it is there."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def create(self, record: Record) -> Record:
        """Keep a new conversation, or return the one that has this sid already."""
        try:
            with self._head(record["sid"]).open("x") as file:
                json.dump(record, file)
        except FileExistsError:
            return self.read(record["sid"])
        return record

    def read(self, sid: str) -> Record:
        """One conversation; FileNotFoundError where there is none."""
        found: Record = json.loads(self._head(sid).read_text())
        return found

    def save(self, record: Record) -> None:
        """Keep a conversation that has changed, in one step."""
        changed = self._head(record["sid"]).with_suffix(".new")
        changed.write_text(json.dumps(record))
        changed.replace(self._head(record["sid"]))

    def conversations(self) -> list[Record]:
        """All of them, newest first."""
        found = [self.read(path.stem) for path in self._folder.glob("*.json")]
        return sorted(found, key=lambda record: (record["created"], record["sid"]), reverse=True)

    def post(self, sid: str, letter: Record) -> Record:
        """Add a letter to a conversation."""
        posted = {**letter, "index": len(self.letters(sid))}
        with self._body(sid).open("a") as file:
            file.write(json.dumps(posted) + "\n")
        return posted

    def letters(self, sid: str) -> list[Record]:
        """The letters of a conversation, oldest first; FileNotFoundError where there is no such conversation."""
        self.read(sid)
        body = self._body(sid)
        return [json.loads(line) for line in body.read_text().splitlines()] if body.exists() else []

    def _head(self, sid: str) -> Path:
        return self._folder / f"{sid}.json"

    def _body(self, sid: str) -> Path:
        return self._folder / f"{sid}.lines"
