"""The collections on disk: one directory and one engine shard each.

An acknowledged write is in the engine's write-ahead log and survives the death of the process. `flush` moves the log
into the segments, which also makes it survive a power cut; it is too slow for every write, so it runs at intervals.
The engine's `optimize` is never called: it stops every thread of the process for seconds, and searches filtered by
contact are faster without it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import qdrant_edge as edge
from qdrant_client import models

from memory.embedded import translate
from memory.embedded.refusal import Refused

if sys.platform != "win32":
    import fcntl

# Also keeps a name from leaving the data directory.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_DESCRIPTION = "collection.json"


@dataclass(slots=True)
class Collection:
    """An open collection. `written` counts writes since the last flush."""

    name: str
    description: models.CreateCollection
    shard: edge.EdgeShard
    path: Path
    indexes: dict[str, str] = field(default_factory=dict)
    written: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def sizes(self) -> dict[str, int]:
        """Dense vector names and their dimensions."""
        vectors = self.description.vectors
        if isinstance(vectors, models.VectorParams):
            return {"": vectors.size}
        return {name: params.size for name, params in (vectors or {}).items()}

    @property
    def sparse(self) -> tuple[str, ...]:
        return tuple(self.description.sparse_vectors or ())

    def update(self, operation: edge.UpdateOperation) -> None:
        """One writer at a time: operations of one collection keep the order they are acknowledged in."""
        with self.lock:
            self.shard.update(operation)
            self.written += 1

    def flush(self) -> None:
        with self.lock:
            if self.written:
                self.shard.flush()
                self.written = 0

    def add_index(self, key: str, schema: Any) -> None:
        name, engine_schema = translate.index_schema(schema)
        with self.lock:
            if self.indexes.get(key) == name:
                return
            self.shard.update(edge.UpdateOperation.create_field_index(key, engine_schema))
            self.written += 1
            self.indexes[key] = name
            self.describe()

    def add_metadata(self, metadata: dict[str, Any]) -> None:
        """New keys are added, known ones replaced, as Qdrant does."""
        with self.lock:
            merged = {**(self.description.metadata or {}), **metadata}
            self.description = self.description.model_copy(update={"metadata": merged})
            self.describe()

    def describe(self) -> None:
        """Writes the description in one step: a collection exists from the moment that this file does."""
        content = {"create": self.description.model_dump(mode="json", exclude_unset=True), "indexes": self.indexes}
        draft = self.path / f"{_DESCRIPTION}.new"
        with draft.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path / _DESCRIPTION)


class Shards:
    """All collections under one directory, which one process holds at a time."""

    def __init__(self, path: Path) -> None:
        self._root = path / "collections"
        self._root.mkdir(parents=True, exist_ok=True)
        self._held = _hold(path)
        self._lock = threading.Lock()
        self._open: dict[str, Collection] = {}
        for description in sorted(self._root.glob(f"*/{_DESCRIPTION}")):
            self._open[description.parent.name] = _load(description)

    def names(self) -> list[str]:
        return sorted(self._open)

    def find(self, name: str) -> Collection | None:
        return self._open.get(name)

    def get(self, name: str) -> Collection:
        if (collection := self._open.get(name)) is None:
            raise Refused(404, f"Not found: Collection `{_shown(name)}` doesn't exist!")
        return collection

    def create(self, name: str, description: models.CreateCollection) -> None:
        if not _NAME.fullmatch(name):
            raise Refused(400, "a collection's name is up to 64 letters, digits, hyphens and underscores")
        config = translate.config(description)
        with self._lock:
            if name in self._open:
                raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
            path = self._root / name
            shutil.rmtree(path, ignore_errors=True)  # what a crash left of an unfinished creation or deletion
            shard = edge.EdgeShard.create(str(path / "shard"), config)
            collection = Collection(name=name, description=description, shard=shard, path=path)
            collection.describe()
            self._open[name] = collection

    def delete(self, name: str) -> bool:
        with self._lock:
            collection = self._open.pop(name, None)
            if collection is None:
                return False
            with collection.lock:
                (collection.path / _DESCRIPTION).unlink()  # first: without it the collection is gone
                collection.shard.close()
                shutil.rmtree(collection.path, ignore_errors=True)
            return True

    def flush(self) -> None:
        for collection in list(self._open.values()):
            collection.flush()

    def close(self) -> None:
        with self._lock:
            while self._open:
                _, collection = self._open.popitem()
                collection.flush()
                collection.shard.close()
            if self._held is not None:
                self._held.close()
                self._held = None


def _load(description: Path) -> Collection:
    content = json.loads(description.read_text(encoding="utf-8"))
    return Collection(
        name=description.parent.name,
        description=models.CreateCollection.model_validate(content["create"]),
        shard=edge.EdgeShard.load(str(description.parent / "shard")),
        path=description.parent,
        indexes=content["indexes"],
    )


def _hold(path: Path) -> IO[str] | None:
    """Keeps others out until this process ends, however it ends. On Windows only the engine's own lock does."""
    if sys.platform == "win32":
        return None
    with contextlib.ExitStack() as stack:
        file = stack.enter_context((path / "lock").open("a", encoding="utf-8"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RuntimeError(f"another process uses the data directory {path}") from error
        stack.pop_all()
        return file


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else "?"
