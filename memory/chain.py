"""Facts about one thing in the order of time: each holds until the next, and the last one holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One fact. `id` is the store's own; `invalid_at` is None while the fact holds."""

    id: Any
    source: str
    at: datetime
    invalid_at: datetime | None = None


def link(point_id: Any, payload: dict[str, Any]) -> Link:
    """A link out of a stored point."""
    invalid_at = payload.get("invalid_at")
    return Link(
        id=point_id,
        source=payload["source"],
        at=datetime.fromisoformat(payload["at"]),
        invalid_at=datetime.fromisoformat(invalid_at) if invalid_at else None,
    )


def changes(links: Sequence[Link]) -> list[Link]:
    """The links whose `invalid_at` has to become another, each as it has to be."""
    ordered = sorted(links, key=lambda one: (one.at, str(one.id)))
    ends: list[datetime | None] = [*(one.at for one in ordered[1:]), None]
    return [replace(one, invalid_at=end) for one, end in zip(ordered, ends, strict=False) if one.invalid_at != end]
