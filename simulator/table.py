"""Rows of one kind, in order of arrival, with look-ups by other keys, a bound, and each change in the journal."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from simulator.journal import Journal


class Row(Protocol):
    sid: str


R = TypeVar("R", bound=Row)


class Index(Generic[R]):
    """Rows by a key. `fields` are what the key is made of: when one of them changes, the row moves."""

    def __init__(self, key: Callable[[R], Hashable | None], *fields: str) -> None:
        self.key = key
        self.fields = frozenset(fields)
        self._rows: dict[Hashable, dict[str, R]] = {}

    def of(self, key: Hashable) -> dict[str, R]:
        """sid -> row, oldest first."""
        return self._rows.get(key, {})

    def add(self, row: R) -> None:
        if (key := self.key(row)) is not None:
            self._rows.setdefault(key, {})[row.sid] = row

    def drop(self, row: R) -> None:
        key = self.key(row)
        if key is not None and (rows := self._rows.get(key)) is not None:
            rows.pop(row.sid, None)
            if not rows:
                del self._rows[key]


class Table(Generic[R]):
    def __init__(
        self, name: str, kind: type[R], journal: Journal, *, limit: int | None = None, indexes: Iterable[Index[R]] = ()
    ) -> None:
        self.name = name
        self.rows: dict[str, R] = {}
        self._kind = kind
        self._journal = journal
        self._limit = limit
        self._indexes = tuple(indexes)
        self._fields: tuple[str, ...] = tuple(kind.__annotations__)

    def get(self, sid: str) -> R | None:
        return self.rows.get(sid)

    def add(self, row: R) -> R:
        if self._journal.open:
            self._journal.append("put", self.name, row.sid, self.dump(row))
        self._insert(row)
        while self._limit is not None and len(self.rows) > self._limit:
            self.remove(next(iter(self.rows)))
        return row

    def change(self, row: R, **fields: Any) -> R:
        here = row.sid in self.rows  # one that has made room is nobody's to find
        moving = [index for index in self._indexes if here and not index.fields.isdisjoint(fields)]
        for index in moving:
            index.drop(row)
        for name, value in fields.items():
            setattr(row, name, value)
        for index in moving:
            index.add(row)
        if here:
            self._journal.append("set", self.name, row.sid, fields)
        return row

    def remove(self, sid: str) -> None:
        if (row := self.rows.pop(sid, None)) is not None:
            for index in self._indexes:
                index.drop(row)
            self._journal.append("del", self.name, sid, {})

    def load(self, op: str, sid: str, fields: dict[str, Any]) -> None:
        """Applies one journalled change, without journalling it again."""
        if op == "put":
            self._insert(self._kind(**fields))
        elif op == "set" and (row := self.rows.get(sid)) is not None:
            self.change(row, **fields)
        elif op == "del":
            self.remove(sid)

    def dump(self, row: R) -> dict[str, Any]:
        return {name: getattr(row, name) for name in self._fields}

    def _insert(self, row: R) -> None:
        self.rows[row.sid] = row
        for index in self._indexes:
            index.add(row)
