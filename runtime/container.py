"""Puts together what a worker needs, and closes it again."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from agents.transcriber import NoTranscriber, Transcriber, load_transcriber
from memory.contacts import ContactBook
from memory.embedders.cached import CachedEmbedder
from memory.store import MemoryStore, MemoryUnavailable
from messaging.backend import ConversationalBackend
from runtime import attributes, engines, flows, providers, temporal
from runtime.consents import TemporalConsents
from runtime.embedding import load_embedder
from runtime.fates import FateBook
from runtime.gateway import open_gateway
from runtime.remembering import contact_book, memory_store, qdrant_client
from runtime.settings import Settings
from runtime.sweeping import SweepIntake, keep_sweeping, listing
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
    sweep: SweepIntake | None = None


@asynccontextmanager
async def open_container(settings: Settings, telemetry: Telemetry) -> AsyncIterator[Container]:
    """Everything a worker needs, connected. Waits for Temporal; provider and Qdrant may be away.

    Raises:
        SettingsError, messaging.errors.AuthenticationError
    """
    installed = flows.install(settings)
    await temporal.check_sandbox()
    async with AsyncExitStack() as stack:
        embedder = CachedEmbedder(load_embedder(settings.messaging_embedder))
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
        await stack.enter_async_context(telemetry.flowing())
        client = await temporal.connect_when_up(
            interceptors=telemetry.interceptors, runtime=telemetry.runtime, sealing=settings.sealing()
        )
        if made := await temporal.when_up(partial(attributes.ensure, client)):
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
            sweep=await _sweeping(settings, client, backends, installed[0].ref),
        )


async def _sweeping(
    settings: Settings, client: Client, backends: Mapping[str, ConversationalBackend], flow: str
) -> SweepIntake | None:
    """What sweeps hand in to, with their schedule seen to. Without it the worker does all else."""
    if settings.messaging_id_key is None:
        log.warning("no sweeps from this worker: MESSAGING_ID_KEY is not set")
        return None
    every = timedelta(seconds=settings.messaging_sweep_every)
    try:
        await keep_sweeping(client, settings.temporal_task_queue, listing(backends), every)
    except RPCError as error:
        log.warning("the schedule of sweeps cannot be seen to", error=error.message)
    return SweepIntake(gateway=open_gateway(settings, client, flow), fates=FateBook(client))
