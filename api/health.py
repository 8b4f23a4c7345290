"""Whether this process lives, whether it can take messages, and what it has counted."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import problems, tokens
from runtime.access import Scope
from runtime.ingress import Ingress
from runtime.temporal import is_unreachable

# A readiness probe must answer before the platform gives up on it.
PATIENCE = 2.0

router = APIRouter(tags=["health"])


@router.get("/livez", summary="Is the process alive")
async def livez() -> dict[str, str]:
    """Always, if it answers."""
    return {"status": "alive"}


@router.get(
    "/readyz",
    summary="Can it take messages",
    responses={503: {"description": "Temporal does not answer, and the spool takes nothing"}},
)
async def readyz(request: Request) -> JSONResponse:
    """503 when a webhook would be refused. While Temporal is away the spool takes them: that is `degraded`."""
    ingress: Ingress = request.app.state.ingress
    there = await _answers(ingress)
    spool = {"depth": ingress.spool.depth(), "refused": ingress.spool.refused()}
    wrong = "" if there else await ingress.spool.check()
    found = {
        "status": "ready" if there else "unready" if wrong else "degraded",
        "temporal": "reachable" if there else "unreachable",
        "spool": spool | ({"problem": wrong} if wrong else {}),
    }
    return JSONResponse(found, status_code=503 if wrong else 200)


async def _answers(ingress: Ingress) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return bool(await ingress.client.service_client.check_health(retry=False))
    except Exception as error:
        if not is_unreachable(error):
            raise
        return False


@router.get(
    "/metrics",
    summary="Metrics, for Prometheus",
    dependencies=[Depends(tokens.needs(Scope.METRICS))],
    response_class=PlainTextResponse,
    responses=problems.documented(401, 403),
)
async def metrics() -> Response:
    """In Prometheus's text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
