"""How many conversations are open, asked of Temporal: what the gauge `messaging_active_conversations` shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog
from temporalio.client import Client

from runtime.temporal import is_unreachable
from workflows import contracts

log = structlog.get_logger(__name__)

# A scrape comes every 15 to 60 s; counting asks the visibility store, which is not built for more.
EVERY = timedelta(seconds=15)


class Census:
    """The counts of the last look. They are the namespace's: every API process that is scraped shows the same."""

    def __init__(self, client: Client, providers: Sequence[str], *, every: timedelta = EVERY) -> None:
        self._client = client
        self._providers = tuple(providers)
        self._every = every
        self._counts: tuple[tuple[str, int], ...] = ()

    def counts(self) -> Iterable[tuple[str, int]]:
        """(provider, open conversations); nothing while Temporal cannot tell, for a stale number would look true."""
        return self._counts

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Look again and again, inside."""
        looking = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    async def _keep(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self._every.total_seconds())

    async def look(self) -> None:
        """Count now."""
        try:
            async with asyncio.timeout(self._every.total_seconds()):
                self._counts = tuple([(provider, await self._open(provider)) for provider in self._providers])
        except Exception as error:
            self._counts = ()
            if not is_unreachable(error):
                raise
            log.debug("conversations cannot be counted", error=type(error).__name__)

    async def _open(self, provider: str) -> int:
        # Every workflow id begins with its provider's name: `workflows.ids`.
        query = (
            f'WorkflowType = "{contracts.WORKFLOW}" AND ExecutionStatus = "Running" '
            f'AND WorkflowId STARTS_WITH "{provider}-"'
        )
        return (await self._client.count_workflows(query)).count
