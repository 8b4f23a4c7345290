"""What came in, as the providers list it, and what became of each message. Of what is said it knows nothing."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from temporalio.service import RPCError

from messaging.backend import ConversationalBackend, ListsInbound
from messaging.model import InboundEvent
from runtime import forgotten, providers, spool, temporal
from runtime.fates import ConversationSilent, FateBook
from runtime.gateway import Gateway, open_gateway
from runtime.settings import Settings
from workflows.fate import Fate

# Beside what conversations call the fate of a text.
SPOOLED = "spooled"
"""On this machine's disk, until Temporal is back."""
SET_ASIDE = "set_aside"
"""Temporal refuses it for good; it is kept in the spool for an operator."""
ELSEWHERE = "elsewhere"
"""Not told to us: texted to another's number, or told by the provider's other product."""
FORGOTTEN = "forgotten"
"""Written by somebody who had it removed afterwards."""
UNACCOUNTED = "unaccounted"

# Conversations that are asked at once. One costs the server some milliseconds, and a worker a replay at most.
_AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message. `id` is its event key; neither text nor address is here."""

    id: str
    provider: str
    conversation_id: str
    at: datetime
    state: str
    turn: int = 0
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class Balance:
    """A period's sum. `messages` are those that came to us; what is `elsewhere` is counted by itself.

    `unlisted` are providers that keep no list, so that nothing can be said of them.
    """

    since: datetime
    until: datetime
    messages: int = 0
    states: dict[str, int] = field(default_factory=dict)
    elsewhere: int = 0
    parked: list[Entry] = field(default_factory=list)
    unaccounted: list[Entry] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Count one."""
        if entry.state == ELSEWHERE:
            self.elsewhere += 1
            return
        self.messages += 1
        self.states[entry.state] = self.states.get(entry.state, 0) + 1
        if entry.state == UNACCOUNTED:
            self.unaccounted.append(entry)
        elif entry.state == "parked":
            self.parked.append(entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """`backends` are started; `spool_folder` is this machine's, if it has one."""

    gateway: Gateway
    backends: Mapping[str, ConversationalBackend]
    fates: FateBook
    spool_folder: Path | None = None

    @property
    def unlisted(self) -> list[str]:
        """Providers that keep no list."""
        return [name for name, backend in self.backends.items() if not backend.capabilities.lists_inbound]

    async def entries(self, since: datetime, until: datetime) -> AsyncIterator[Entry]:
        """Each message of the period, page by page.

        Raises:
            MessagingError, TemporalUnreachable
        """
        for name, backend in self.backends.items():
            if not isinstance(backend, ListsInbound) or name in self.unlisted:
                continue
            cursor: str | None = None
            seen: set[str] = set()
            while True:
                page = await backend.list_inbound(since=since, until=until, cursor=cursor)
                fresh = [event for event in page.items if event.event_key not in seen]
                seen = {event.event_key for event in page.items}
                for entry in await self._settled(backend, fresh):
                    yield entry
                if (cursor := page.next_cursor) is None:
                    break

    async def _settled(self, backend: ListsInbound, events: Sequence[InboundEvent]) -> list[Entry]:
        lines: defaultdict[str, list[InboundEvent]] = defaultdict(list)
        for event in events:
            lines[self.gateway.conversation_id(event)].append(event)
        spooled = self._spooled(events)
        room = asyncio.Semaphore(_AT_ONCE)

        asked: list[asyncio.Task[Mapping[str, datetime]]] = []

        async def forgotten_people() -> Mapping[str, datetime]:
            """Once, and only where some message is missing."""
            if not asked:
                asked.append(asyncio.create_task(self._forgotten()))
            return await asked[0]

        async def of(conversation: str, line: list[InboundEvent]) -> list[Entry]:
            async with room:
                return await self._of(backend, conversation, line, spooled, forgotten_people)

        found = await asyncio.gather(*(of(name, line) for name, line in lines.items()))
        return sorted((entry for some in found for entry in some), key=lambda entry: entry.at)

    async def _of(
        self,
        backend: ListsInbound,
        conversation: str,
        line: Sequence[InboundEvent],
        spooled: Mapping[str, str],
        forgotten_people: Callable[[], Awaitable[Mapping[str, datetime]]],
    ) -> list[Entry]:
        silent = ""
        try:
            fates = await self.fates.look(conversation, [event.event_key for event in line])
        except ConversationSilent:
            fates, silent = {}, "its conversation does not answer"
        missing = [event for event in line if event.event_key not in fates]
        spooled = {**spooled, **self._spooled(missing)}  # what came into it meanwhile
        gone = await forgotten_people() if missing else {}
        entries = []
        for event in line:
            fate = fates.get(event.event_key) or _in_spool(event, spooled)
            when = None if fate or not gone else gone.get(await self.gateway.contact_id(event))
            if when is not None and event.received_at <= when:
                fate = Fate(state=FORGOTTEN)
            if fate is None and not silent and await backend.claim(event) is None:
                fate = Fate(state=ELSEWHERE)
            fate = fate or Fate(state=UNACCOUNTED, reason=silent or "no conversation has it, nor the spool")
            entries.append(
                Entry(
                    id=event.event_key,
                    provider=event.provider,
                    conversation_id=conversation,
                    at=event.received_at,
                    state=fate.state,
                    turn=fate.turn,
                    reason=fate.reason,
                )
            )
        return entries

    async def _forgotten(self) -> Mapping[str, datetime]:
        try:
            return await forgotten.times(self.fates.client)
        except RPCError as error:
            raise temporal.TemporalUnreachable from error

    def _spooled(self, events: Sequence[InboundEvent]) -> Mapping[str, str]:
        """Why each of those in the spool was set aside; empty where it only waits."""
        if self.spool_folder is None or not events:
            return {}
        return spool.look(self.spool_folder, [spool.key_of(event) for event in events])


def _in_spool(event: InboundEvent, spooled: Mapping[str, str]) -> Fate | None:
    refused = spooled.get(spool.key_of(event))
    if refused is None:
        return None
    return Fate(state=SET_ASIDE, reason=refused) if refused else Fate(state=SPOOLED)


@asynccontextmanager
async def open_ledger(settings: Settings) -> AsyncIterator[Ledger]:
    """A ledger of these settings' providers and this machine's spool.

    Raises:
        SettingsError, MessagingError
        RuntimeError: Temporal does not answer.
    """
    settings.id_key()
    client = await temporal.connect(sealing=settings.sealing())
    backends = providers.backends(settings, logged=False)
    async with AsyncExitStack() as stack:
        for backend in backends.values():
            await backend.start()
            stack.push_async_callback(backend.stop)
        yield Ledger(
            gateway=open_gateway(settings, client, settings.rules.flow),
            backends=backends,
            fates=FateBook(client),
            spool_folder=settings.spool_folder,
        )
