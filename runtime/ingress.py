"""Puts together what the API needs, and closes it again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client

from messaging.backend import ConversationalBackend
from messaging.metrics import observe_active
from runtime import flows, providers, temporal
from runtime.attachments import Attachments
from runtime.budgets import Budgets
from runtime.census import Census, observe_backlog
from runtime.directory import Directory
from runtime.errands import Errands
from runtime.gateway import Gateway, open_gateway
from runtime.inbox import Inbox
from runtime.intake import Intake, observe_spool
from runtime.settings import Settings, SettingsError
from runtime.spool import Spool, SpoolUnusable
from runtime.telemetry import Telemetry

# A server that is gone is told to the provider at once, after no more than a blink of its front end.
RECONNECT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """The way in. Backends verify and parse webhooks here, and stay unconnected until an attachment is looked at."""

    settings: Settings
    client: Client
    gateway: Gateway
    spool: Spool
    intake: Intake
    directory: Directory
    inbox: Inbox
    errands: Errands
    attachments: Attachments
    backends: Mapping[str, ConversationalBackend]


def open_spool(settings: Settings) -> Spool:
    """The spool of this machine's API processes.

    Raises:
        SettingsError: its folder cannot be written.
    """
    try:
        return Spool(settings.spool_folder, megabytes=settings.messaging_spool_megabytes)
    except SpoolUnusable as unusable:
        raise SettingsError(f"MESSAGING_SPOOL: {unusable.reason}") from unusable


@asynccontextmanager
async def open_ingress(settings: Settings, telemetry: Telemetry) -> AsyncIterator[Ingress]:
    """Everything the API needs. Temporal need not be there yet.

    Raises:
        SettingsError: a setting the API needs is missing.
    """
    settings.id_key()
    flow = flows.install(settings)[0].ref
    client = await temporal.connect(
        interceptors=telemetry.interceptors,
        runtime=telemetry.runtime,
        lazy=True,
        patience=RECONNECT,
        sealing=settings.sealing(),
    )
    backends = providers.backends(settings)
    census = Census(client, tuple(backends), queue=settings.temporal_task_queue)
    observe_active(census.counts)
    observe_backlog(census)
    gateway = open_gateway(settings, client, flow)
    errands = Errands(client=client, gateway=gateway, provider=settings.own_provider, senders=settings.senders)
    spool = open_spool(settings)
    observe_spool(spool)
    budgets = Budgets(sender=settings.messaging_sender_rate, total=settings.messaging_intake_rate)
    intake = Intake(gateway=gateway, spool=spool, budgets=budgets)
    directory, attachments = Directory(client), Attachments(backends)
    async with aclosing(spool), aclosing(attachments), telemetry.flowing(), census.kept(), intake.draining():
        yield Ingress(
            settings=settings,
            client=client,
            gateway=gateway,
            errands=errands,
            attachments=attachments,
            spool=spool,
            intake=intake,
            directory=directory,
            inbox=Inbox(directory),
            backends=backends,
        )
