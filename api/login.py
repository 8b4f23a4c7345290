"""Logging in to the console: a token is exchanged for a session, which no script can read and no other page can use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api import forms, tokens
from api.console.page import page
from runtime.access import SESSION, Access

log = structlog.get_logger(__name__)

HOME = "/console"

router = APIRouter(prefix=HOME, include_in_schema=False)


@router.get("/login")
async def ask(request: Request, after: Annotated[str, Query(alias="next")] = HOME) -> Response:
    """The page that asks for a token; nobody needs one where none is configured."""
    access: Access = request.app.state.access
    return RedirectResponse(_inside(after), 303) if access.is_open else _page(request, after)


@router.post("/login")
async def login(request: Request) -> Response:
    """The session as a cookie, and on to where the person wanted to go."""
    tokens.require_same_origin(request)
    access: Access = request.app.state.access
    form, now = await forms.read(request), datetime.now(UTC)
    grant = access.by_token(form.get("token", "").strip(), now)
    after = _inside(form.get("next", HOME))
    if grant is None:
        log.warning("a log-in was refused")
        return _page(request, after, wrong=True)
    answer = RedirectResponse(after, 303)
    _keep(request, answer, access.session(grant, now))
    log.info("logged in", by=grant.name, scope=grant.scope.value)
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    """The browser forgets its session."""
    tokens.require_same_origin(request)
    answer = RedirectResponse(f"{HOME}/login", 303)
    answer.delete_cookie(tokens.COOKIE, httponly=True, samesite="strict")
    return answer


def _keep(request: Request, answer: Response, session: str) -> None:
    # A proxy in front of us speaks TLS; only the browser knows, and says so in its Origin.
    secure = not request.headers.get("origin", "").startswith("http://")
    answer.set_cookie(
        tokens.COOKIE,
        session,
        max_age=int(SESSION.total_seconds()),
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def _inside(after: str) -> str:
    """Only a page of the console: a link to the log-in must not lead elsewhere afterwards."""
    parts = urlsplit(after)
    inside = not (parts.scheme or parts.netloc) and (parts.path == HOME or parts.path.startswith(f"{HOME}/"))
    return after if inside and after.isprintable() and "\\" not in after else HOME


def _page(request: Request, after: str, *, wrong: bool = False) -> Response:
    return page(request, "login.html", status=401 if wrong else 200, after=_inside(after), wrong=wrong)
