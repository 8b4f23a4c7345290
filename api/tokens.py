"""Who may look: bearer tokens, compared in constant time. Without any configured, only this machine is let in."""

from __future__ import annotations

import hmac

from fastapi import Request
from starlette.exceptions import HTTPException

from runtime.settings import Settings


async def required(request: Request) -> None:
    """Let the request pass, or answer 401. Settings see to it that an open API is bound to loopback only."""
    settings: Settings = request.app.state.ingress.settings
    if not settings.messaging_api_tokens:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    known = [token.get_secret_value().encode() for token in settings.messaging_api_tokens]
    matches = [hmac.compare_digest(given.strip().encode(), token) for token in known]
    if scheme.lower() != "bearer" or not any(matches):
        raise HTTPException(
            401, "a token is needed: Authorization: Bearer <token>", headers={"WWW-Authenticate": "Bearer"}
        )
