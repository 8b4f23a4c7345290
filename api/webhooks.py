"""What providers post. The 2xx goes out only when Temporal, or the spool on disk, holds every event of the request."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from api import problems
from messaging.model import WebhookRequest
from runtime.ingress import Ingress
from runtime.settings import TWILIO

_TWIML: dict[str, Any] = {"responses": {200: {"content": {"text/xml": {}}}}}

router = APIRouter(
    prefix="/webhooks",
    tags=["webhooks"],
    default_response_class=Response,
    responses=problems.documented(400, 403, 404, 408, 413, 429, 503),
)


@router.get("/twilio/messages", summary="Inbound SMS, WhatsApp and RCS, from a number set to GET", **_TWIML)
@router.post("/twilio/messages", summary="Inbound SMS, WhatsApp and RCS", **_TWIML)
async def messages(request: Request) -> Response:
    """Form as Programmable Messaging sends it. The answer goes out by REST: a reply in here could not be idempotent."""
    await _accept(request, provider="twilio_messaging", route="messages")
    return Response("<Response/>", media_type="text/xml")


@router.post("/twilio/status", summary="Status callbacks of outbound messages")
async def status(request: Request) -> Response:
    """Form as Programmable Messaging sends it; `key` in the query is the send's own."""
    await _accept(request, provider="twilio_messaging", route="status")
    return Response()


@router.get("/twilio/conversations", summary="Events of the Conversations API, from a webhook set to GET")
@router.post("/twilio/conversations", summary="Events of the Conversations API")
async def conversations(request: Request) -> Response:
    """Form as Conversations sends it. The empty answer lets a pre-action go on unchanged."""
    await _accept(request, provider="twilio", route="conversations")
    return Response()


@router.post("/{provider}/{route}", summary="Webhooks of any other provider")
async def others(request: Request, provider: str, route: str) -> Response:
    """As the provider sends it; what `route` may be is its own affair."""
    if provider in TWILIO:  # its routes are those above
        raise HTTPException(404, "Not Found")
    await _accept(request, provider=provider, route=route)
    return Response()


async def _accept(request: Request, *, provider: str, route: str) -> None:
    ingress: Ingress = request.app.state.ingress
    if provider not in ingress.backends:
        raise HTTPException(404, f"provider: not served here; there is {', '.join(sorted(ingress.backends))}")
    webhook = WebhookRequest(
        route=route,
        method=request.method,
        path=request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1"),
        query=request.scope["query_string"].decode("latin-1"),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body(),
    )
    events = await ingress.backends[provider].handle_webhook(webhook)
    await ingress.intake.accept(events)
