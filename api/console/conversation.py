"""One conversation: the chat, what is known about it, and what an operator may do."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.console import chat, graph
from api.console.inbox import Asked, listed
from api.console.page import Pages, page
from api.conversations import Everything
from runtime import dossier, reason
from runtime.directory import NoWorker
from runtime.dossier import Dossier
from runtime.inbox import Wanted
from runtime.ingress import Ingress

router = APIRouter(prefix="/console", route_class=Pages, include_in_schema=False)


@router.get("/{conversation_id}")
async def show(request: Request, conversation_id: str, ingress: Everything, asked: Asked) -> Response:
    """The conversation, with the list that it was chosen from."""
    return await shown(request, ingress, conversation_id, asked)


@router.get("/{conversation_id}/turns/{number}")
async def why(
    request: Request,
    conversation_id: str,
    number: Annotated[int, Path(ge=1, le=2**31)],
    ingress: Everything,
    asked: Asked,
) -> Response:
    """The same with one turn explained beside it."""
    file, context = await asyncio.gather(dossier.read(ingress.directory, conversation_id), listed(ingress, asked))
    if file.view is None:
        raise NoWorker
    found = await reason.read(ingress.directory, file, number)
    return page(
        request,
        "why.html",
        **_context(file),
        **context,
        number=number,
        reason=found,
        graph=graph.draw(found.flow, found.record.steps),
    )


async def shown(
    request: Request,
    ingress: Ingress,
    conversation_id: str,
    asked: Wanted,
    *,
    trouble: str = "",
    draft: str = "",
    status: int = 200,
) -> Response:
    """The page of a conversation. `trouble` is why what was asked for was not done, `draft` what was written.

    Raises:
        UnknownConversation, TemporalUnreachable
    """
    file, context = await asyncio.gather(dossier.read(ingress.directory, conversation_id), listed(ingress, asked))
    return page(
        request,
        "conversation.html",
        status=status,
        **_context(file, trouble=trouble, draft=draft),
        **context,
    )


def _context(file: Dossier, *, trouble: str = "", draft: str = "") -> dict[str, Any]:
    return {
        "file": file,
        "conversation": file.summary,
        "view": file.view,
        "days": chat.days(file),
        "trouble": trouble,
        "draft": draft,
        "key": uuid.uuid4().hex,
    }
