"""Puts together what the API needs, and closes it again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from temporalio.client import Client

from messaging.backend import ConversationalBackend
from runtime import providers, temporal
from runtime.directory import Directory
from runtime.gateway import PATIENCE, Gateway
from runtime.settings import Settings
from runtime.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """The way in. Backends only verify and parse webhooks here, and stay unconnected."""

    settings: Settings
    client: Client
    gateway: Gateway
    directory: Directory
    backends: Mapping[str, ConversationalBackend]


@asynccontextmanager
async def open_ingress(settings: Settings, telemetry: Telemetry) -> AsyncIterator[Ingress]:
    """Everything the API needs. Temporal need not be there yet.

    Raises:
        SettingsError: a setting the API needs is missing.
    """
    id_key = settings.id_key()
    client = await temporal.connect(interceptors=telemetry.interceptors, lazy=True, patience=PATIENCE)
    yield Ingress(
        settings=settings,
        client=client,
        gateway=Gateway(client=client, task_queue=settings.temporal_task_queue, id_key=id_key, rules=settings.rules),
        directory=Directory(client),
        backends=providers.backends(settings),
    )
