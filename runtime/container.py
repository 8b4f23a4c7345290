"""Puts together what a worker needs, and closes it again."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from temporalio.client import Client

from agents.transcriber import NoTranscriber, Transcriber, load_transcriber
from memory.contacts import ContactBook
from memory.embedders.cached import CachedEmbedder
from memory.embedders.minilm import MiniLmEmbedder
from memory.store import MemoryStore, MemoryUnavailable
from messaging.backend import ConversationalBackend
from runtime import attributes, engines, flows, providers, temporal
from runtime.consents import TemporalConsents
from runtime.remembering import contact_book, memory_store, qdrant_client
from runtime.settings import Settings
from runtime.telemetry import Telemetry
from workflows.flow import Flow

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The ports of a worker's activities, and its client."""

    settings: Settings
    client: Client
    backends: Mapping[str, ConversationalBackend]
    memory: MemoryStore
    contacts: ContactBook
    agents: engines.Agents
    consents: TemporalConsents
    transcriber: Transcriber = field(default_factory=NoTranscriber)
    flows: tuple[Flow[Any], ...] = ()


@asynccontextmanager
async def open_container(settings: Settings, telemetry: Telemetry) -> AsyncIterator[Container]:
    """Everything a worker needs, connected. Waits for Temporal; provider and Qdrant may be away.

    Raises:
        SettingsError, messaging.errors.AuthenticationError
    """
    installed = flows.install(settings)
    await temporal.check_sandbox()
    async with AsyncExitStack() as stack:
        embedder = CachedEmbedder(MiniLmEmbedder())
        await embedder.embed(["warm"])  # the model loads before the first person waits for it
        shelves = qdrant_client(settings)
        stack.push_async_callback(shelves.close)
        agents = await engines.open_agents(settings, embedder, shelves)
        backends = providers.backends(settings)
        for backend in backends.values():
            await providers.start(backend)
            stack.push_async_callback(backend.stop)
        memory = memory_store(settings, embedder)
        stack.push_async_callback(memory.close)
        contacts = contact_book(settings)
        stack.push_async_callback(contacts.close)
        with contextlib.suppress(MemoryUnavailable):  # it is prepared at its first use then
            await memory.prepare()
        client = await temporal.connect_when_up(interceptors=telemetry.interceptors, sealing=settings.sealing())
        if made := await attributes.ensure(client):
            log.info("search attributes made", names=made)
        yield Container(
            settings=settings,
            client=client,
            backends=backends,
            memory=memory,
            contacts=contacts,
            agents=agents,
            consents=TemporalConsents(client, settings.temporal_task_queue),
            transcriber=load_transcriber(settings.messaging_transcriber),
            flows=installed,
        )
