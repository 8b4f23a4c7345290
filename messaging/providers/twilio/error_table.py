"""Twilio's refusals as our errors: by its code, else by the HTTP status, else not retryable.

The text is ours: the number and its documented title. Twilio's own messages quote phone numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from messaging import errors
from messaging.errors import Category
from messaging.providers.twilio.error_codes import ENTRIES
from messaging.providers.twilio.error_entry import Entry

# https://www.twilio.com/docs/usage/twilios-response
STATUSES: Mapping[int, Entry] = {
    HTTPStatus.UNAUTHORIZED: Entry(kind=errors.AuthenticationError, category=Category.CONFIG, title="Unauthorized"),
    HTTPStatus.FORBIDDEN: Entry(kind=errors.AuthorizationError, category=Category.CONFIG, title="Forbidden"),
    HTTPStatus.NOT_FOUND: Entry(kind=errors.NotFound, category=Category.NOT_FOUND, title="Not Found"),
    HTTPStatus.TOO_MANY_REQUESTS: Entry(
        kind=errors.RateLimit, category=Category.RATE, title="Too Many Requests", retryable=True
    ),
    HTTPStatus.REQUEST_TIMEOUT: Entry(
        kind=errors.Timeout, category=Category.AMBIGUOUS, title="Request Timeout", ambiguous=True
    ),
}
_SERVER_FAULT = Entry(kind=errors.NetworkError, category=Category.AMBIGUOUS, title="Server error", ambiguous=True)
_REFUSED = Entry(kind=errors.InvalidInput, category=Category.PERMANENT, title="Refused")


def translate(
    *, status: int, code: int | None, writes: bool, retry_after: float | None = None, request_id: str = ""
) -> errors.MessagingError:
    """Make the error of a refusal.

    Args:
        writes: Whether the request may have changed something. What did not can be asked again, whatever happened.
        request_id: Twilio's id of the request, the one thing its support asks for.
    """
    entry = ENTRIES.get(code) if code is not None else None
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # A known code does not tell what a failing server did with the request.
        entry = _SERVER_FAULT if entry is None or not entry.ambiguous else entry
    entry = entry or STATUSES.get(status, _REFUSED)
    number = f"Twilio {code}" if code is not None else f"HTTP {status}"
    return entry.kind(
        f"{number}, {entry.title}" + (f", request {request_id}" if request_id else ""),
        provider_code=code,
        status=status,
        retry_after=retry_after,
        retryable=entry.retryable or (entry.ambiguous and not writes),
        ambiguous=entry.ambiguous and writes,
        category=None if entry.ambiguous else entry.category,
    )


def category(code: int | None) -> Category | None:
    """Of a failure that a report tells; None where it tells none."""
    if code is None:
        return None
    return ENTRIES[code].category if code in ENTRIES else Category.UNKNOWN
