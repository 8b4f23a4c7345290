"""The order of what was found: how well it fits, and how recent it is. Pure, and the same for every store."""

from __future__ import annotations

from collections.abc import Sequence

from memory.item import Recalled

# Each side of the search offers this many times the limit, and no fewer than the second number, so that a point that is
# mid-field in both can still win.
_DEPTH, _LEAST = 4, 20


def depth(limit: int) -> int:
    """How many candidates to fetch for `limit` results."""
    return max(limit * _DEPTH, _LEAST)


def ranked(candidates: Sequence[Recalled]) -> list[Recalled]:
    """Best first."""
    return sorted(candidates, key=lambda item: -item.score)
