"""Attachments, passed on from the provider: what a browser shows by itself, and the rest to be saved."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.exceptions import HTTPException

from api.console.page import Pages
from api.conversations import Everything
from messaging.errors import MessagingError

router = APIRouter(prefix="/console", route_class=Pages, include_in_schema=False)

# Nothing of these is ever run. SVG is not among them, as it may hold scripts.
_SHOWN = re.compile(r"image/(png|jpeg|gif|webp|avif)|audio/[\w.+-]+|video/[\w.+-]+")

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # It is the same for ever. Kept by this person's browser alone.
    "Cache-Control": "private, max-age=3600",
}


@router.get("/{conversation_id}/media")
async def media(
    conversation_id: str,
    ingress: Everything,
    message: Annotated[str, Query(max_length=512)],
    place: Annotated[int, Query(ge=0, le=100)] = 0,
) -> Response:
    """One attachment of a message that the transcript has."""
    found = await ingress.directory.get(conversation_id)
    messages = await ingress.directory.messages(conversation_id)
    attached = next((one.media for one in messages if one.id == message), ())
    if found.view is None or place >= len(attached):
        raise HTTPException(404, "message: no attachment of this conversation")
    try:
        content = await ingress.attachments.fetch(found.view.provider, attached[place])
    except MessagingError as error:
        raise HTTPException(404 if not error.retryable else 503, "the provider does not have it") from error
    shown = _SHOWN.fullmatch(content.content_type)
    return Response(
        content.data,
        media_type=content.content_type if shown else "application/octet-stream",
        headers={**_HEADERS, "Content-Disposition": "inline" if shown else "attachment"},
    )
