"""Pages for operators. Everything works as plain pages and forms; scripts only keep them up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from api.console import actions, conversation, inbox, live, media, operator

_STATIC = Path(__file__).parents[1] / "static"


def install(app: FastAPI) -> None:
    """Serve the console. Its style and scripts are for everybody: the page to log in needs them too."""
    app.mount("/console/static", _Files(directory=_STATIC), name="static")
    for room in (inbox, live, media, actions, conversation):
        app.include_router(room.router, dependencies=[Depends(operator.known)])


class _Files(StaticFiles):
    """Kept by browsers, and asked for anew with each page: 304 as long as nothing has changed."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """As it is, with how long it may be kept."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
