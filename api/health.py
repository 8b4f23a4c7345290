"""Whether this process lives, whether it can take messages, and what it has counted."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import problems, tokens
from runtime.temporal import is_unreachable

# A readiness probe must answer before the platform gives up on it.
PATIENCE = 2.0

router = APIRouter(tags=["health"])


@router.get("/livez", summary="Is the process alive")
async def livez() -> dict[str, str]:
    """Always, if it answers."""
    return {"status": "alive"}


@router.get("/readyz", summary="Can it take messages", responses={503: {"description": "Temporal does not answer"}})
async def readyz(request: Request) -> JSONResponse:
    """503 while Temporal does not answer: webhooks would be refused."""
    client = request.app.state.ingress.client
    try:
        async with asyncio.timeout(PATIENCE):
            await client.service_client.check_health(retry=False)
    except Exception as error:
        if not is_unreachable(error):
            raise
        return JSONResponse({"status": "unready", "temporal": "unreachable"}, status_code=503)
    return JSONResponse({"status": "ready", "temporal": "reachable"})


@router.get(
    "/metrics",
    summary="Metrics, for Prometheus",
    dependencies=[Depends(tokens.required)],
    response_class=PlainTextResponse,
    responses=problems.documented(401),
)
async def metrics() -> Response:
    """In Prometheus's text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
