"""Lists what people wrote at a provider, and hands in what no conversation has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog
from temporalio import activity

from activities import failures
from activities.heartbeat import beating
from messaging.backend import ConversationalBackend, ListsInbound
from messaging.errors import MessagingError
from messaging.model import InboundEvent
from workflows.sweeping import SweepActivities, SweepPage, SweptPage

log = structlog.get_logger(__name__)


class Intake(Protocol):
    """The way in, as webhooks take it."""

    async def unseen(self, events: Sequence[InboundEvent]) -> tuple[list[InboundEvent], int]:
        """Those that no conversation knows of, in the same order; and of how many nobody can tell now, since their
        conversation does not answer."""

    async def hand_in(self, events: Sequence[InboundEvent]) -> int:
        """When this returns, their conversations hold them; how many were left for another time."""


class Sweeping(SweepActivities):
    """Works on the providers that keep a list."""

    def __init__(self, backends: Mapping[str, ConversationalBackend], intake: Intake) -> None:
        self._backends = backends
        self._intake = intake

    @activity.defn(name="sweep_page")
    async def sweep_page(self, page: SweepPage) -> SweptPage:
        """Raises ApplicationError."""
        backend = self._backends.get(page.provider)
        if backend is None:
            raise failures.not_configured(page.provider, ", ".join(sorted(self._backends)))
        if not isinstance(backend, ListsInbound):
            return SweptPage()
        async with beating():
            try:
                found = await backend.list_inbound(since=page.since, until=page.until, cursor=page.cursor)
                lost, silent = await self._intake.unseen(found.items)
                claimed = [whole for event in lost if (whole := await backend.claim(event)) is not None]
            except MessagingError as error:
                raise failures.of_provider(error, backend.get_config(), attempt=activity.info().attempt) from error
            left = await self._intake.hand_in(claimed)
        if silent:
            log.warning("conversations do not answer; the next sweep asks again", provider=page.provider, texts=silent)
        if claimed:
            log.warning(
                "texts that no webhook brought were handed in", provider=page.provider, texts=len(claimed) - left
            )
        return SweptPage(
            listed=len(found.items),
            recovered=len(claimed) - left,
            elsewhere=len(lost) - len(claimed),
            left=left + silent,
            next_cursor=found.next_cursor,
        )
