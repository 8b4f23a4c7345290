"""One page: how it is rendered, and what it shows instead when that cannot be done."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import headers
from api.console import operator, words
from runtime.codec import CannotDecrypt
from runtime.directory import InvalidCursor, NoWorker, UnknownConversation
from runtime.ingress import Ingress
from runtime.reason import UnknownTurn
from runtime.temporal import TemporalUnreachable

_TEMPLATES = Path(__file__).parents[1] / "templates"

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals.update(words=words)
_templates = Jinja2Templates(env=_ENVIRONMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """What stands where the page should: a headline, what it means, and whether it passes by itself."""

    status: int
    title: str
    text: str
    passes: bool = False
    log_in: bool = False


_TROUBLES: Mapping[type[Exception], _Trouble] = {
    TemporalUnreachable: _Trouble(
        status=503,
        title="Temporal is away",
        text="Nothing is lost: what people write is kept on this machine's disk and handed over when Temporal is back.",
        passes=True,
    ),
    NoWorker: _Trouble(
        status=503,
        title="No worker answers",
        text="The conversation is safe in Temporal. It goes on as soon as a worker runs.",
        passes=True,
    ),
    UnknownConversation: _Trouble(
        status=404,
        title="No such conversation",
        text="It has never been, or it ended longer ago than Temporal keeps what has ended.",
    ),
    CannotDecrypt: _Trouble(
        status=503,
        title="This cannot be read here",
        text="It is encrypted under a key that this process does not have: MESSAGING_CODEC_KEYS.",
    ),
    UnknownTurn: _Trouble(
        status=404,
        title="That turn is not kept",
        text="It has not ended yet, or it is older than what a conversation keeps of its turns.",
    ),
    InvalidCursor: _Trouble(status=422, title="That page is gone", text="The list has changed. Begin at its top."),
    RequestValidationError: _Trouble(
        status=422, title="That does not fit", text="The address of the page, or what was sent, cannot be read."
    ),
}


_REFUSALS: Mapping[int, _Trouble] = {
    401: _Trouble(
        status=401,
        title="You are logged out",
        text="Nothing was done. Log in again, and send it once more.",
        log_in=True,
    ),
    403: _Trouble(
        status=403, title="That you may not", text="Your token lets you look, not act; or another page sent it."
    ),
    422: _Trouble(status=422, title="That does not fit", text="What was sent is not what this page sends."),
    503: _Trouble(status=503, title="Not now", text="What is asked for this did not answer. Try again in a while."),
    404: _Trouble(status=404, title="There is no such page", text="The address is not one of the console's."),
}


class Pages(APIRoute):
    """A route that answers what goes wrong with a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI asks for it."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except tuple(_TROUBLES) as error:
                return _instead(request, _TROUBLES[type(error)])
            except HTTPException as error:
                if error.status_code not in _REFUSALS:
                    raise
                return _instead(request, _REFUSALS[error.status_code], error.headers)

        return handle


def _instead(request: Request, trouble: _Trouble, said: Mapping[str, str] | None = None) -> Response:
    answer = page(request, "trouble.html", status=trouble.status, trouble=trouble)
    answer.headers.update(said or {})
    return answer


def page(request: Request, template: str, *, status: int = 200, **context: object) -> Response:
    """A page of ours, with what all of them need."""
    ingress: Ingress = request.app.state.ingress
    namespace = quote(ingress.client.namespace, safe="")
    shared = {
        "temporal_ui": f"{ingress.settings.messaging_temporal_ui}/namespaces/{namespace}/workflows",
        "spooled": ingress.spool.depth(),
        "operator": operator.of(request),
        "me": operator.of(request).name,
        "now": datetime.now(UTC),
    }
    return _templates.TemplateResponse(
        request, template, {**shared, **context}, status_code=status, headers=headers.PAGE
    )
