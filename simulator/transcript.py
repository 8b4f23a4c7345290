"""Everything that happened, in order: a bounded ring of records, and whoever listens to it live."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulator.clock import Clock, iso_ms

Record = dict[str, Any]
_LISTENER_BACKLOG = 5_000  # records that a slow listener may lag behind before it loses the oldest


class Transcript:
    def __init__(self, *, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._records: deque[Record] = deque(maxlen=limit)
        self._of_kind: dict[str, deque[Record]] = {kind: deque(maxlen=limit) for kind in ("webhook", "debugger")}
        self._listeners: set[asyncio.Queue[Record]] = set()
        # Ids keep growing over restarts, so that a page that reconnects with its last id misses nothing. Microseconds
        # of the real time are ahead of any number of records, and still a whole number in JavaScript.
        self._last = time.time_ns() // 1000

    def add(self, kind: str, **fields: Any) -> Record:
        self._last += 1
        record: Record = {"id": self._last, "at": iso_ms(self._clock.now()), "kind": kind, **fields}
        self._records.append(record)
        if (kept := self._of_kind.get(kind)) is not None:
            kept.append(record)
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(record)
        return record

    def since(self, after: int) -> list[Record]:
        return [record for record in self._records if record["id"] > after]

    def webhooks(self) -> list[Record]:
        return list(self._of_kind["webhook"])

    def debugger(self) -> list[Record]:
        return list(self._of_kind["debugger"])

    @property
    def last_id(self) -> int:
        return self._last

    def clear(self) -> None:
        self._records.clear()
        for kept in self._of_kind.values():
            kept.clear()

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Record]]:
        queue: asyncio.Queue[Record] = asyncio.Queue(_LISTENER_BACKLOG)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
