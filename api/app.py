"""The ASGI application. Everything it needs is opened in its lifespan and closed with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata

from fastapi import FastAPI

from api import console, conversations, desk, health, problems, webhooks
from runtime.ingress import open_ingress
from runtime.settings import Settings
from runtime.telemetry import Telemetry


def create_app(settings: Settings, telemetry: Telemetry | None = None) -> FastAPI:
    """The application for these settings. Traces go on into Temporal by `telemetry`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_ingress(settings, telemetry or Telemetry()) as ingress:
            app.state.ingress = ingress
            yield

    app = FastAPI(
        title="Durable conversations",
        version=metadata.version("durable-conversations"),
        description="Webhooks in, conversations out. Each conversation is a Temporal workflow.",
        lifespan=lifespan,
    )
    problems.install(app)
    for room in (webhooks, conversations, desk, health, console):
        app.include_router(room.router)
    return app
