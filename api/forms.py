"""Forms that our own pages post: a few short fields."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.exceptions import HTTPException

# The longest that a page of ours posts is a message to a person.
MAX_BODY = 64 * 1024
MAX_FIELDS = 50


async def read(request: Request) -> Mapping[str, str]:
    """The last value of each field.

    Raises:
        HTTPException: 400, it is no form of ours; 413, it is too large.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"body: at most {MAX_BODY} bytes")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))
    except ValueError:
        raise HTTPException(400, f"body: a form of at most {MAX_FIELDS} fields in UTF-8 expected") from None
