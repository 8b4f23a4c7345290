"""An append-only file of changes, replayed at start.

Each change is one write to the operating system before the caller is answered, so a killed process loses nothing it has
confirmed; there is no fsync, because a simulator need not survive a power cut. A torn last line is dropped.

One process at a time writes to it: two would each replace what the other has confirmed.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import portalocker

Change = tuple[str, str, str, dict[str, Any]]
"""(op, table, sid, fields); op is `put`, `set` or `del`."""


class InUse(ValueError):
    """Another simulator keeps its data in this file."""


class Journal:
    """Keeps nothing at all without a path. Raises InUse when another process has it open."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = _locked(path) if path is not None else None
        self._file: int | None = None
        self.lines = 0

    def replay(self) -> Iterator[Change]:
        if self._path is None or not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                if not line.endswith("\n"):
                    return
                op, table, sid, fields = json.loads(line)
                yield op, table, sid, fields

    def rewrite(self, changes: Iterable[Change]) -> None:
        """Replaces the file by the given changes: what is still alive."""
        if self._path is None:
            return
        self._shut()
        draft = self._path.with_name(self._path.name + ".new")
        self.lines = 0
        with draft.open("w", encoding="utf-8") as file:
            for change in changes:
                file.write(_line(change))
                self.lines += 1
        draft.replace(self._path)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)

    def append(self, op: str, table: str, sid: str, fields: dict[str, Any]) -> None:
        if self._file is not None:
            os.write(self._file, _line((op, table, sid, fields)).encode())
            self.lines += 1

    @property
    def open(self) -> bool:
        """Whether changes are kept at the moment."""
        return self._file is not None

    def close(self) -> None:
        self._shut()
        if self._lock is not None:
            self._lock.release()

    def _shut(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _locked(path: Path) -> portalocker.Lock:
    """A file of its own, since the journal's is replaced now and then. It stays: whoever removed it might remove the
    lock of the next one. A killed process holds it no longer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = portalocker.Lock(path.with_name(path.name + ".lock"), mode="a", timeout=0, fail_when_locked=True)
    try:
        lock.acquire()
    except portalocker.LockException as problem:
        raise InUse(f"{path} is in use by another simulator") from problem
    return lock


def _line(change: Change) -> str:
    return json.dumps(change, separators=(",", ":"), ensure_ascii=False) + "\n"
