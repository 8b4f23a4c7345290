"""The provider refuses, fails, or takes a message and does not say so: the person sees one message."""

from __future__ import annotations

from typing import Any

from tests.chaos.case import Case, Person
from tests.chaos.ground import Ground

_LINE = "provider 429 / 500 before commit / 500 after commit / accepted then timeout / connection reset"

# The simulator's faults, twice in a row where nothing was sent. The time-out is longer than what we wait.
_FAULTS: dict[str, dict[str, Any]] = {
    "429": {"kind": "status", "status": 429, "retry_after": 1, "times": 2},
    "500-before-commit": {"kind": "status", "status": 500, "times": 2},
    "500-after-commit": {"kind": "after_commit", "status": 500},
    "accepted-then-timeout": {"kind": "hang", "seconds": 10.0},
    "reset-before-commit": {"kind": "reset", "committed": False},
    "reset-after-commit": {"kind": "reset"},
}


def _case(name: str, fault: dict[str, Any]) -> Case:
    async def run(ground: Ground) -> str:
        person = Person(ground)
        await ground.fault(**fault, match={"to": person.phone})
        await person.text("#1-0")
        return f"one message, after {await person.only('Answer to #1-0'):.1f} s"

    return Case(name=f"provider-{name}", line=_LINE, run=run, quick=name == "500-after-commit")


CASES = tuple(_case(name, fault) for name, fault in _FAULTS.items())
