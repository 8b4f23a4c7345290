"""What a text about an appointment says. Pure: a day is counted from the day of the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOUR = re.compile(r"\b(?:at\s+(\d{1,2})|(\d{1,2})(?::00|\s*o'clock)|(\d{1,2})\s*([ap])m)\b", re.IGNORECASE)
_YES = re.compile(r"\b(yes|yep|ok|okay|sure|please do|book it)\b", re.IGNORECASE)
_NO = re.compile(r"\b(no|nope|not|don't)\b", re.IGNORECASE)
_NOON = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A day, an hour of it, and whether they agree to what was offered; each None where nothing is said."""

    day: date | None = None
    hour: int | None = None
    agrees: bool | None = None


def read(text: str, today: date) -> Wish:
    """Understand a text of this day."""
    agrees = False if _NO.search(text) else True if _YES.search(text) else None
    return Wish(day=_day(text.lower(), today), hour=_hour(text), agrees=agrees)


def _day(text: str, today: date) -> date | None:
    if "tomorrow" in text:
        return today + timedelta(days=1)
    if "today" in text:
        return today
    for number, name in enumerate(_DAYS):
        if re.search(rf"\b{name}s?\b", text):
            return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)  # the next one, never today
    return None


def _hour(text: str) -> int | None:
    found = _HOUR.search(text)
    if found is None:
        return None
    hour = int(next(part for part in found.groups()[:3] if part))
    return hour + _NOON if (found[4] or "").lower() == "p" and hour < _NOON else hour
