"""Where events wait while Temporal is away: one SQLite file, synced to disk before `put` returns, bounded in size.

Several processes of one machine may share it. Who drains it holds its lock; the others only add.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time

import portalocker

from messaging.model import InboundEvent

FILE, LOCK = "spool.db", "spool.lock"

# Another process commits within milliseconds; a provider must not wait longer than a second in all.
_BUSY_SECONDS = 0.5
_PAGE = 4096

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spooled (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL,
    event BLOB NOT NULL,
    at REAL NOT NULL,
    refused TEXT NOT NULL DEFAULT '',
    trace TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS by_conversation ON spooled (conversation);
"""
_KEEP = "INSERT INTO spooled (key, conversation, event, at, trace) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
# A file that an older version left behind.
_COLUMNS = "SELECT name FROM pragma_table_info('spooled')"
_ADD_TRACE = "ALTER TABLE spooled ADD COLUMN trace TEXT NOT NULL DEFAULT ''"
# What a webhook may be at most.
_LARGE = 64 * 1024


class SpoolUnusable(Exception):
    """Nothing was kept. `reason` says why, and how to mend it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """One event that waits. The same `key` is the same event; `event` is opaque here. `trace` is where it came from."""

    key: str
    conversation: str
    event: bytes
    id: int = 0
    trace: str = ""


# Variables that SQLite takes in one statement: https://www.sqlite.org/limits.html#max_variable_number
_ASKED = 500


class Spool:
    """The file, opened. `folder` holds texts and phone numbers as they came: only the owner may read it.

    Args:
        megabytes: How large the file may grow.

    Raises:
        SpoolUnusable: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        self._folder = folder
        self._pages = megabytes * 1024 * 1024 // _PAGE
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._waiting: list[tuple[Sequence[Spooled], asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._lock = portalocker.Lock(folder / LOCK, mode="a", timeout=0, fail_when_locked=True)
        self._open()

    async def put(self, events: Sequence[Spooled]) -> None:
        """Keep them, in order. What is there already stays as it is.

        Raises:
            SpoolUnusable: none of them is kept.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await done

    async def check(self) -> str:
        """Why it would keep nothing now; empty where it would."""
        try:
            # Undone again: it takes what a large event would take, the lock and some pages.
            await self._write(_KEEP, [("probe", "", bytes(_LARGE), 0.0, "")], undo=True)
        except SpoolUnusable as unusable:
            return unusable.reason
        return ""

    def holds(self, conversation: str) -> bool:
        """Whether something of this conversation waits, so that what comes now must wait behind it."""
        waiting = "SELECT EXISTS (SELECT 1 FROM spooled WHERE conversation = ? AND refused = '')"
        try:
            return bool(self._ask(waiting, conversation))
        except sqlite3.Error:
            return False  # a broken spool is no reason not to ask Temporal

    def depth(self) -> int:
        """How many wait."""
        return int(self._ask("SELECT COUNT(*) FROM spooled WHERE refused = ''") or 0)

    def refused(self) -> int:
        """How many were set aside, since Temporal would never take them."""
        return int(self._ask("SELECT COUNT(*) FROM spooled WHERE refused != ''") or 0)

    def oldest(self) -> float:
        """For how many seconds the first has waited; 0 where none does."""
        first = self._ask("SELECT MIN(at) FROM spooled WHERE refused = ''")
        return max(0.0, time() - first) if first else 0.0

    def waiting(self, conversation: str) -> int:
        """How many of this conversation wait."""
        return int(self._ask("SELECT COUNT(*) FROM spooled WHERE conversation = ? AND refused = ''", conversation) or 0)

    def peek(self, limit: int, *, without: Sequence[str] = ()) -> list[Spooled]:
        """The first of those that wait, but for some conversations'."""
        marks = ",".join("?" * len(without))
        rows = self._reader.execute(
            "SELECT key, conversation, event, id, trace FROM spooled "  # noqa: S608 - marks only
            f"WHERE refused = '' AND conversation NOT IN ({marks}) ORDER BY id LIMIT ?",
            (*without, limit),
        )
        return [Spooled(key=k, conversation=c, event=event, id=number, trace=t) for k, c, event, number, t in rows]

    async def remove(self, ids: Sequence[int]) -> None:
        """They have been handed over."""
        await self._write("DELETE FROM spooled WHERE id = ?", [(number,) for number in ids])

    async def refuse(self, number: int, reason: str) -> None:
        """Set one aside, so that it holds up no other. It is kept for an operator."""
        await self._write("UPDATE spooled SET refused = ? WHERE id = ?", [(reason, number)])

    @contextmanager
    def draining(self) -> Iterator[bool]:
        """Whether this process drains now: one at a time does, and a killed one does no longer."""
        try:
            self._lock.acquire()
        except portalocker.LockException:
            yield False
            return
        try:
            yield True
        finally:
            self._lock.release()

    async def aclose(self) -> None:
        """Write what still waits to be written, and close the file."""
        if self._flushing is not None:
            await asyncio.gather(self._flushing, return_exceptions=True)
        self._writer.shutdown()
        self._close()

    async def _flush(self) -> None:
        """Everything that came meanwhile in one commit: a sync to disk costs the same for one and for hundreds."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            rows = [(one.key, one.conversation, one.event, time(), one.trace) for events, _ in batch for one in events]
            try:
                await self._write(_KEEP, rows)
            except Exception as error:  # noqa: BLE001 - whatever it was, no request may wait for ever
                _settle(batch, error if isinstance(error, SpoolUnusable) else SpoolUnusable(type(error).__name__))
            else:
                _settle(batch, None)

    async def _write(self, statement: str, rows: Sequence[tuple[object, ...]], *, undo: bool = False) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writer, self._commit, statement, rows, undo)

    def _commit(self, statement: str, rows: Sequence[tuple[object, ...]], undo: bool) -> None:
        try:
            if not self._is_there():  # somebody deleted it: what is written to a deleted file is not kept
                self._close()
                self._open()
            with self._connection:
                self._connection.executemany(statement, rows)
                if undo:
                    self._connection.rollback()
        except sqlite3.Error as error:
            raise _unusable(error) from error

    def _ask(self, question: str, *given: object) -> float | int | None:
        answer: tuple[float | int | None] = self._reader.execute(question, given).fetchone()
        return answer[0]

    def _is_there(self) -> bool:
        try:
            return (self._folder / FILE).stat().st_ino == self._inode
        except OSError:
            return False

    def _open(self) -> None:
        path = self._folder / FILE
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._inode = path.stat().st_ino
            self._connection = self._connect(path)
            self._connection.executescript(_SCHEMA)
            if ("trace",) not in self._connection.execute(_COLUMNS).fetchall():
                with contextlib.suppress(sqlite3.OperationalError):  # another process has just done so
                    self._connection.execute(_ADD_TRACE)
            self._reader = self._connect(path)
        except OSError as error:
            raise SpoolUnusable(
                f"{error.strerror or type(error).__name__}; a folder that can be written expected"
            ) from error
        except sqlite3.Error as error:
            raise _unusable(error) from error

    def _connect(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # in this mode: the log is synced at every commit
        connection.execute(f"PRAGMA max_page_count = {self._pages}")
        return connection

    def _close(self) -> None:
        for connection in (self._connection, self._reader):
            with contextlib.suppress(sqlite3.Error):
                connection.close()


def key_of(event: InboundEvent) -> str:
    """What tells two events apart: the same event of the same provider is kept once."""
    return f"{event.provider}\x1f{event.event_key}"


def look(folder: Path, keys: Sequence[str]) -> Mapping[str, str]:
    """Which of these wait in the spool of a folder, without opening it for writing: the reason for which each was set
    aside, empty where it only waits. Nothing where there is no spool, or none that can be read."""
    if not (folder / FILE).exists():
        return {}
    found: dict[str, str] = {}
    try:
        with contextlib.closing(sqlite3.connect(f"{(folder / FILE).resolve().as_uri()}?mode=ro", uri=True)) as reader:
            for start in range(0, len(keys), _ASKED):
                some = keys[start : start + _ASKED]
                marks = ",".join("?" * len(some))
                found |= dict(reader.execute(f"SELECT key, refused FROM spooled WHERE key IN ({marks})", some))  # noqa: S608 - marks only
    except sqlite3.Error:
        return {}
    return found


def _settle(batch: Sequence[tuple[Sequence[Spooled], asyncio.Future[None]]], error: SpoolUnusable | None) -> None:
    for _, done in batch:
        if done.done():  # its request was given up
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


def _unusable(error: sqlite3.Error) -> SpoolUnusable:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return SpoolUnusable("full; it drains when Temporal is back, or raise MESSAGING_SPOOL_MEGABYTES")
    return SpoolUnusable(f"cannot be written ({getattr(error, 'sqlite_errorname', type(error).__name__)})")
