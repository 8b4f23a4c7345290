"""Where work belongs in a trace: W3C trace contexts (`traceparent`) as plain strings, empty where nothing is traced.

A trace context travels with the text that it came with, in the state: it outlives queues, continue-as-new and closed
runs, and each turn goes on in the trace of its first text. Span ids are made of what is the same in every replay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

_HERE: ContextVar[str] = ContextVar("trace", default="")
_ABOVE: ContextVar[str] = ContextVar("trace_above", default="")


def here() -> str:
    """The span that what is started now belongs to."""
    return _HERE.get()


def above() -> str:
    """The span that the one of `here` belongs to."""
    return _ABOVE.get()


@contextmanager
def within(context: str) -> Iterator[None]:
    """What is started inside belongs to this span."""
    above, here = _ABOVE.set(_HERE.get()), _HERE.set(context)
    try:
        yield
    finally:
        with suppress(ValueError):  # an evicted workflow's coroutine may be ended in another context, which is not ours
            _HERE.reset(here)
            _ABOVE.reset(above)


def enter(*key: object) -> None:
    """As `within` a new span below this one, to the end of the task that calls it."""
    _ABOVE.set(here())
    _HERE.set(child(here(), *key))


def child(parent: str, *key: object) -> str:
    """The context of a span below `parent`: the same for the same key, another for each other."""
    version, _, rest = parent.partition("-")
    trace, _, rest = rest.partition("-")
    flags = rest.rpartition("-")[2]
    if not flags:
        return ""
    made = hashlib.blake2b("\x1f".join(map(str, (parent, *key))).encode(), digest_size=8).hexdigest()
    return f"{version}-{trace}-{made}-{flags}"
