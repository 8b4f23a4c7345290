"""Pages for operators: the conversations, and one of them with its link into Temporal UI."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from api import headers, tokens
from api.conversations import Conversations
from runtime.ingress import Ingress

_templates = Jinja2Templates(Path(__file__).with_name("templates"))

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(tokens.required)])


@router.get("")
async def index(
    request: Request,
    directory: Conversations,
    cursor: Annotated[str | None, Query()] = None,
) -> HTMLResponse:
    """All conversations, latest first."""
    page = await directory.list(limit=50, cursor=cursor)
    return _page(request, "conversations.html", conversations=page.items, next_cursor=page.next_cursor)


@router.get("/{conversation_id}")
async def conversation(request: Request, conversation_id: str, directory: Conversations) -> HTMLResponse:
    """One conversation: what was said, and what its last turn did."""
    return _page(
        request,
        "conversation.html",
        conversation=await directory.get(conversation_id),
        messages=await directory.messages(conversation_id),
        turn=await directory.last_turn(conversation_id),
    )


def _page(request: Request, template: str, **context: object) -> HTMLResponse:
    ingress: Ingress = request.app.state.ingress
    namespace = quote(ingress.client.namespace, safe="")
    context["temporal_ui"] = f"{ingress.settings.messaging_temporal_ui}/namespaces/{namespace}/workflows"
    return _templates.TemplateResponse(request, template, context, headers=headers.PAGE)
