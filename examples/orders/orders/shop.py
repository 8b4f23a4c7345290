"""The shop that the tools ask: orders and refunds in an SQLite file. A refund's key makes a repeat harmless."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

# Made-up orders of the sample shop: number, thing, cents, state.
_SEED = (
    ("4711", "a bell", 1200, "delivered on Monday"),
    ("4712", "a helmet", 6000, "on its way, with you tomorrow"),
    ("4713", "a cargo bike", 249900, "delivered on Monday"),
)


def path() -> Path:
    """The file; ORDERS_DB names another."""
    return Path(os.environ.get("ORDERS_DB", "orders.db"))


def find(number: str) -> tuple[str, int, str] | None:
    """What was ordered, its price in cents, and where it is."""
    with closing(_open()) as database, database:
        row = database.execute("SELECT thing, cents, state FROM orders WHERE number = ?", (number,)).fetchone()
        return row if row is None else (str(row[0]), int(row[1]), str(row[2]))


def refund(number: str, *, key: str) -> tuple[str, int] | None:
    """The refund's id and cents. The same key gives the same refund; another key for a refunded order gives None."""
    with closing(_open()) as database, database:
        database.execute("BEGIN IMMEDIATE")
        known = database.execute("SELECT id, key FROM refunds WHERE number = ?", (number,)).fetchone()
        order = database.execute("SELECT cents FROM orders WHERE number = ?", (number,)).fetchone()
        if order is None or (known and known[1] != key):
            return None
        if known is None:
            made = database.execute("INSERT INTO refunds (number, key) VALUES (?, ?)", (number, key))
            known = (made.lastrowid, key)
        return f"R-{known[0]}", int(order[0])


def _open() -> sqlite3.Connection:
    # Commits by `with`, begins by itself only where it is told to.
    database = sqlite3.connect(path(), timeout=5, isolation_level=None)
    database.execute("CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, thing TEXT, cents INT, state TEXT)")
    database.execute("CREATE TABLE IF NOT EXISTS refunds (id INTEGER PRIMARY KEY, number TEXT UNIQUE, key TEXT UNIQUE)")
    database.executemany("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?)", _SEED)
    return database
