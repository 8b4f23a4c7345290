"""The ASGI application. Everything it needs is opened in its lifespan and closed with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata

from fastapi import FastAPI

from api import codec, console, conversations, desk, headers, health, limits, login, parked, problems, webhooks
from api.console.live import Watches
from api.request_spans import RequestSpans
from runtime.access import Access
from runtime.ingress import open_ingress
from runtime.settings import Settings
from runtime.telemetry import Telemetry


def create_app(settings: Settings, telemetry: Telemetry | None = None) -> FastAPI:
    """The application for these settings. Traces go on into Temporal by `telemetry`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_ingress(settings, telemetry or Telemetry()) as ingress:
            app.state.ingress = ingress
            app.state.watches = Watches.of(ingress)
            app.state.access = Access.of(settings.api_tokens(), settings.id_key())
            yield

    app = FastAPI(
        title="Durable conversations",
        version=metadata.version("durable-conversations"),
        description="Webhooks in, conversations out. Each conversation is a Temporal workflow.",
        lifespan=lifespan,
        # Its own spans hold queries, and a webhook by GET has the text in its query. What it counts is by route.
        telemetry={"tracing": False, "operation_spans": False, "logs": False, "auto_configure": False},
        # Their pages are scripts from elsewhere; /openapi.json says the same.
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    codec.allow_temporal_ui(app, settings.messaging_temporal_ui)
    app.add_middleware(limits.BodyLimits)
    app.add_middleware(RequestSpans)
    app.add_middleware(headers.SecurityHeaders)
    for room in (webhooks, conversations, desk, parked, codec, health, login):
        app.include_router(room.router)
    console.install(app)
    return app


def end_streams(app: FastAPI) -> None:
    """Let the open event streams of a running application end: its server waits for them before it stops."""
    if (watches := getattr(app.state, "watches", None)) is not None:
        watches.ended.set()
