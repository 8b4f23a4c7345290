"""Forms that our own pages post: a few short fields."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.exceptions import HTTPException

MAX_FIELDS = 50


async def read(request: Request) -> Mapping[str, str]:
    """The last value of each field.

    Raises:
        HTTPException: 400, it is no form of ours.
    """
    body = await request.body()
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))
    except ValueError:
        raise HTTPException(400, f"body: a form of at most {MAX_FIELDS} fields in UTF-8 expected") from None
