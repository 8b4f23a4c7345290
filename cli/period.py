"""Periods as people write them: `2h` ago, or a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ALLOWED = "a duration before now (90s, 15m, 2h, 3d, 1w) or a time with its offset (2026-11-24T12:00:00Z)"


def instant(text: str, *, option: str, now: datetime) -> datetime:
    """The time that is meant.

    Raises:
        typer.BadParameter: it is none, or to come.
    """
    import typer  # noqa: PLC0415 - other users of periods need none

    found = _read(text.strip(), now)
    if found is None:
        raise typer.BadParameter(f"must be {_ALLOWED}", param_hint=option)
    if found > now:
        raise typer.BadParameter("must not be a time to come", param_hint=option)
    return found


def _read(text: str, now: datetime) -> datetime | None:
    try:
        if match := re.fullmatch(r"(\d{1,6})([smhdw])", text):
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return found.astimezone(UTC) if found.tzinfo else None
