"""Twilio's dates: ISO 8601 in Conversations, RFC 2822 in the 2010 API. What cannot be read is None, never an error."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


def read(value: Any) -> datetime | None:
    """Read either form, aware and in UTC."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, str) or not value:
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = parse(value)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):  # the latter at the ends of time, and for numbers of many digits
            continue
    return None
