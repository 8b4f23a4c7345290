"""Who may look and act: bearer tokens, and in a browser the session that one of them opened.

Without any token configured, only this machine is let in. A browser on it can be made to send requests by any page that
it shows, so what names another host (DNS rebinding, a tunnel) or comes from another page is refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote, urlsplit

import structlog
from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from runtime.access import Access, Scope
from runtime.settings import Settings

log = structlog.get_logger(__name__)

COOKIE = "messaging_session"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Who sends one of these does not speak for itself, but for somebody that we cannot see.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. Nobody has a name where no token is configured, or where it is configured without one."""

    name: str
    scope: Scope
    by_session: bool = False

    def named(self, given: str | None, field: str) -> str:
        """The name given, or else the caller's own.

        Raises:
            HTTPException: 422, there is neither.
        """
        if found := given or self.name:
            return found
        raise HTTPException(422, f"{field}: Field required, since the token has no name")


async def required(request: Request) -> Caller:
    """Let the request pass: to look, a token for reading is enough; all else asks for `operate`.

    Raises:
        HTTPException: 401, 403
    """
    return await _require(request, Scope.READ if request.method in _SAFE else Scope.OPERATE)


def needs(scope: Scope, *, shared: bool = False) -> Callable[[Request], Awaitable[Caller]]:
    """As `required`, for a scope of one's own. A shared route may be asked by pages of Temporal UI too."""

    async def scoped(request: Request) -> Caller:
        return await _require(request, scope, shared=shared)

    return scoped


By = Annotated[Caller, Depends(required)]


async def _require(request: Request, scope: Scope, *, shared: bool = False) -> Caller:
    caller = _caller(request, shared=shared)
    if not caller.scope.includes(scope):
        raise HTTPException(
            403,
            f"this token may not: it has the scope {caller.scope}, and {scope} is needed",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
        )
    if request.method not in _SAFE and not shared:
        route = getattr(request.scope.get("route"), "path", "")
        log.info("asked to act", by=caller.name, method=request.method, route=route)
    return caller


def _caller(request: Request, *, shared: bool) -> Caller:
    access: Access = request.app.state.access
    if access.is_open:
        require_local(request)
        require_same_origin(request, shared=shared)
        return Caller(name="", scope=Scope.ADMIN)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    now = datetime.now(UTC)
    if scheme.lower() == "bearer":
        grant, by_session = access.by_token(token.strip(), now), False
    else:
        grant, by_session = access.by_session(request.cookies.get(COOKIE, ""), now), True
    if grant is None:
        raise _unauthorized("a token is needed: Authorization: Bearer <token>", request)
    if by_session:
        require_same_origin(request, shared=shared)
    return Caller(name=grant.name, scope=grant.scope, by_session=by_session)


def require_local(request: Request) -> None:
    """Nobody but this machine, by one of its own names.

    Raises:
        HTTPException: 401
    """
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    if not _is_loopback(host) or any(name in request.headers for name in _FORWARDED):
        detail = "only this machine is let in by its own name, until MESSAGING_API_TOKENS is set"
        raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


def require_same_origin(request: Request, *, shared: bool = False) -> None:
    """What changes something must not be sent by another page. Programs that are no browsers say nothing of it.

    Raises:
        HTTPException: 403
    """
    if request.method in _SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    settings: Settings = request.app.state.ingress.settings
    if shared and origin == _origin(settings.messaging_temporal_ui):
        return
    ours = {request.headers.get("host", ""), urlsplit(settings.public_url).netloc}
    # https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
    from_ours = site in {"same-origin", "none"} if site else origin is None or urlsplit(origin).netloc in ours
    if not from_ours:
        raise HTTPException(403, "another page may not send this")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unauthorized(detail: str, request: Request) -> HTTPException:
    asked = request.url.path
    if request.method == "GET" and asked.startswith("/console") and "text/html" in request.headers.get("accept", ""):
        # Somebody at a browser, who is asked for the token.
        after = f"{asked}?{request.url.query}" if request.url.query else asked
        return HTTPException(303, "log in first", headers={"Location": f"/console/login?next={quote(after, safe='/')}"})
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})
