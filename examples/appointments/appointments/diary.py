"""The diary that the tools ask: appointments in an SQLite file. A booking's key makes a repeat harmless."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

# Weekdays at these hours.
HOURS = (9, 10, 11, 14, 15)
_SATURDAY = 5


def path() -> Path:
    """The file; DIARY_DB names another."""
    return Path(os.environ.get("DIARY_DB", "diary.db"))


def free(day: date) -> tuple[int, ...]:
    """The hours of this day that nobody has."""
    if day.weekday() >= _SATURDAY:
        return ()
    with closing(_open()) as database, database:
        taken = database.execute("SELECT hour FROM appointments WHERE day = ?", (day.isoformat(),)).fetchall()
    return tuple(hour for hour in HOURS if (hour,) not in taken)


def book(day: date, hour: int, *, key: str) -> int | None:
    """The appointment's number. The same key gives the same appointment; None where the hour is another's."""
    if day.weekday() >= _SATURDAY or hour not in HOURS:
        return None
    with closing(_open()) as database, database:
        database.execute(
            "INSERT OR IGNORE INTO appointments (day, hour, key) VALUES (?, ?, ?)", (day.isoformat(), hour, key)
        )
        found = database.execute(
            "SELECT id FROM appointments WHERE day = ? AND hour = ? AND key = ?", (day.isoformat(), hour, key)
        ).fetchone()
    return None if found is None else int(found[0])


def _open() -> sqlite3.Connection:
    database = sqlite3.connect(path(), timeout=5)
    database.execute(
        "CREATE TABLE IF NOT EXISTS appointments"
        " (id INTEGER PRIMARY KEY, day TEXT, hour INT, key TEXT UNIQUE, UNIQUE (day, hour))"
    )
    return database
