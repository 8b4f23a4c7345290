"""The ASGI application: REST for the SDK, `/_sim` for tests, `/` for people."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from simulator.attached import Attached
from simulator.config import SimulatorConfig
from simulator.control import Control
from simulator.phone import Phone
from simulator.rest.entrance import RAW_SEND, Entrance
from simulator.steering import Steering
from simulator.wire import reply
from simulator.world import World

_COMPACT_EVERY = 30  # seconds between looks at the journal's length
_STATIC = Path(__file__).parent / "static"


class Simulator(FastAPI):
    """Keeps the server's own `send` within reach, so that a fault can cut the connection. Calls of the REST go straight
    to its entrance: the way through middleware and past all the other routes would cost as much as the call itself."""

    entrance: Entrance | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[RAW_SEND] = send
        if self.entrance is None or scope["type"] != "http" or _is_ours(scope["path"]):
            await super().__call__(scope, receive, send)
            return
        response = await self.entrance(Request(scope, receive))
        await response(scope, receive, send)


def create_app(config: SimulatorConfig | None = None) -> FastAPI:
    """One simulated account. Its state lives from the start of the application to its end."""
    config = config or SimulatorConfig()

    @asynccontextmanager
    async def lifespan(app: Simulator) -> AsyncIterator[None]:
        world = World(config)
        control = Control(world)
        app.state.world = world
        app.state.control = control
        # Routes are bound to the world, so they come with it.
        app.router.routes[:] = [
            *control.routes(),
            *Steering(world).routes(),
            *Attached(world).routes(),
            Route("/", Phone(config).page, methods=["GET"]),
            *mounts,
        ]
        app.entrance = Entrance(world)
        keeper = asyncio.create_task(_keep_short(world))
        try:
            yield
        finally:
            control.close()
            keeper.cancel()
            await world.aclose()

    app = Simulator(lifespan=lifespan, openapi_url=None, title="Twilio simulator", redirect_slashes=False)
    app.add_exception_handler(HTTPException, _no_such_call)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    mounts = list(app.router.routes)
    return app


async def _no_such_call(request: Request, problem: Exception) -> Response:
    """A path or a method that the control API does not have."""
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    answer = reply({"error": f"{request.method} {request.url.path}: {HTTPStatus(status).phrase.lower()}"}, status)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:  # the methods of a path are in a route each
        here = [r for r in request.app.routes if isinstance(r, Route) and r.matches(request.scope)[0] is not Match.NONE]
        answer.headers["Allow"] = ", ".join(sorted({method for route in here for method in route.methods or ()}))
    return answer


def _is_ours(path: str) -> bool:
    """The page and the control API; all else is Twilio's."""
    return path in {"/", "/_sim"} or path.startswith(("/_sim/", "/static/"))


def end_streams(app: FastAPI) -> None:
    """Lets the open event streams of a running simulator end, so that its server can stop at once."""
    if (control := getattr(app.state, "control", None)) is not None:
        control.close()


async def _keep_short(world: World) -> None:
    while True:
        await asyncio.sleep(_COMPACT_EVERY)
        world.store.compact_if_long()
