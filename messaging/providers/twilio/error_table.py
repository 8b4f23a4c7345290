"""Twilio's refusals as our errors: by its code, else by the HTTP status, else not retryable.

The text is ours: the number and its documented title. Twilio's own messages quote phone numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from messaging import errors
from messaging.providers.twilio.error_codes import ENTRIES, Entry

# https://www.twilio.com/docs/usage/twilios-response
STATUSES: Mapping[int, Entry] = {
    HTTPStatus.UNAUTHORIZED: Entry(kind=errors.AuthenticationError, title="Unauthorized"),
    HTTPStatus.FORBIDDEN: Entry(kind=errors.AuthorizationError, title="Forbidden"),
    HTTPStatus.NOT_FOUND: Entry(kind=errors.NotFound, title="Not Found"),
    HTTPStatus.TOO_MANY_REQUESTS: Entry(kind=errors.RateLimit, title="Too Many Requests", retryable=True),
    HTTPStatus.REQUEST_TIMEOUT: Entry(kind=errors.Timeout, title="Request Timeout", ambiguous=True),
}
_SERVER_FAULT = Entry(kind=errors.NetworkError, title="Server error", ambiguous=True)
_REFUSED = Entry(kind=errors.InvalidInput, title="Refused")


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
    )
