"""Quiet hours: when nobody wants to be written to, in the time zone of the person."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ALLOWED = 'must look like "21:00-08:00", with two different times'


def opens_at(hours: str, zone: str, now: datetime) -> datetime | None:
    """When the quiet hours that `now` is in end; None outside of them, or where there are none.

    Raises:
        ValueError: no such hours or time zone.
    """
    if not hours:
        return None
    start, end = parse(hours)
    here = now.astimezone(_zone(zone))
    clock = here.time().replace(tzinfo=None)
    over_midnight = start > end
    if not (start <= clock or clock < end if over_midnight else start <= clock < end):
        return None
    day = here.date() + timedelta(days=1 if over_midnight and clock >= start else 0)
    return datetime.combine(day, end, tzinfo=here.tzinfo).astimezone(UTC)


@functools.lru_cache(maxsize=64)
def parse(hours: str) -> tuple[time, time]:
    """Start and end of "HH:MM-HH:MM".

    Raises:
        ValueError: says what is allowed.
    """
    start, _, end = hours.partition("-")
    try:
        found = time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
    except ValueError:
        raise ValueError(ALLOWED) from None
    if found[0] == found[1]:
        raise ValueError(ALLOWED)
    return found


def check_zone(zone: str) -> str:
    """The zone, if there is one of this name.

    Raises:
        ValueError: says what is allowed.
    """
    try:
        _zone(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone of the IANA database, like Europe/Berlin") from None
    return zone


@functools.lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)  # a slim machine may have no database of time zones
