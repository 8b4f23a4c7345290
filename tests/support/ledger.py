"""What the tools of `tests.support.flows` did. It is not imported anew for each workflow."""

from __future__ import annotations

PAID: dict[str, int] = {}
CALLS: list[str] = []
FAILURES: list[str] = []


def clear() -> None:
    """Before each test."""
    PAID.clear()
    CALLS.clear()
    FAILURES.clear()
