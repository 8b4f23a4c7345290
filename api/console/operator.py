"""Who sits at the desk: by their token's name, or where it has none by the name they gave this browser."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from fastapi import Request

from api import tokens
from runtime.access import Scope

COOKIE = "console_name"
LONGEST = 60
_NOBODY = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Under which `name` this browser acts, whether it may, and whether it can be called otherwise or log out."""

    name: str = _NOBODY
    may_act: bool = False
    may_rename: bool = False
    may_log_out: bool = False


async def known(request: Request, by: tokens.By) -> None:
    """For every route of the console: from then on `of` tells who asks."""
    request.state.operator = Operator(
        name=by.name or _given(request),
        may_act=by.scope.includes(Scope.OPERATE),
        may_rename=not by.name,
        may_log_out=by.by_session,
    )


def of(request: Request) -> Operator:
    """Who asks. Nobody, and so nobody who may act, where that is not known yet."""
    found: Operator = getattr(request.state, "operator", None) or Operator()
    return found


def _given(request: Request) -> str:
    name = unquote(request.cookies.get(COOKIE, "")).strip()[:LONGEST]
    return name if name and name.isprintable() else _NOBODY
