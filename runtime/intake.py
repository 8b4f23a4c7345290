"""The way in: to Temporal while it answers, else into the spool, which is drained in order when it is back.

When `accept` returns, Temporal or a file that is synced to disk holds every event.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, partial

import structlog
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Counter, Meter, Observation
from pydantic import TypeAdapter
from temporalio.service import RPCError, RPCStatusCode

from messaging.metrics import SCOPE
from messaging.model import EventKind, InboundEvent
from runtime import spans
from runtime.budgets import Budget, Budgets
from runtime.gateway import Gateway
from runtime.identity import Unresolved
from runtime.spool import Spool, Spooled, key_of
from runtime.temporal import TemporalUnreachable

log = structlog.get_logger(__name__)

# With the commit of the spool, a provider has its answer within a second.
PATIENCE = timedelta(milliseconds=600)
# How soon Temporal's return is noticed, and what other processes have spooled.
_LOOK = timedelta(milliseconds=250)
_BATCH = 500
# Signals at once; each conversation's go one after the other.
_AT_ONCE = 32

# Temporal has read it and will never take it; all else may pass.
_REFUSALS = frozenset({RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.OUT_OF_RANGE, RPCStatusCode.UNIMPLEMENTED})

_EVENT = TypeAdapter(InboundEvent)

# How many events of one sender wait while they are over budget. Others need the room.
SHARE = 500
# Seconds; by then a sender's bucket is full again.
REFILL = 60


class SenderOverBudget(Exception):
    """This sender's share of the spool is used up. Nothing was kept."""


@dataclass(slots=True, kw_only=True)
class Intake:
    """One process's way in."""

    gateway: Gateway
    spool: Spool
    budgets: Budgets = field(default_factory=Budgets)
    patience: timedelta = PATIENCE
    _away: bool = field(default=False, init=False)
    _told: float = field(default=-REFILL, init=False)
    _told_unresolved: float = field(default=-REFILL, init=False)

    async def accept(self, events: list[InboundEvent]) -> None:
        """Hand over all events in order.

        Raises:
            SpoolUnusable: Temporal is away or a budget is used up, and the spool is full or cannot be written.
                Nothing was kept.
            SenderOverBudget
        """
        places = [self.gateway.conversation_id(event) for event in events]
        if not self._is_over_budget(events, places) and not self._away and not any(map(self.spool.holds, places)):
            try:
                async with asyncio.timeout(self.patience.total_seconds()):
                    await self.gateway.accept(events)
            except (TemporalUnreachable, TimeoutError):
                self._away = True
            except Unresolved as error:
                self._tell_unresolved(error)
            else:
                return
        await self.spool.put([_spooled(event, place) for event, place in zip(events, places, strict=True)])

    def _is_over_budget(self, events: Sequence[InboundEvent], places: Sequence[str]) -> bool:
        over = False
        for event, place in zip(events, places, strict=True):
            is_text = event.kind is EventKind.MESSAGE_ADDED and not event.echo
            if budget := self.budgets.arrive(place if is_text else None):
                over = True
                _count_over_budget(budget)
                if budget is Budget.SENDER and self.spool.waiting(place) >= SHARE:
                    self._tell_refused(place)
                    raise SenderOverBudget
        return over

    def _tell_refused(self, place: str) -> None:
        """Once in a while: a flood of texts must not become one of log lines."""
        now = asyncio.get_running_loop().time()
        if now - self._told >= REFILL:
            self._told = now
            log.warning("a sender is refused: over budget, and their share of the spool is used up", id=place)

    def _tell_unresolved(self, error: Unresolved) -> None:
        """Once in a while, as it is tried again several times a second."""
        now = asyncio.get_running_loop().time()
        if now - self._told_unresolved >= REFILL:
            self._told_unresolved = now
            log.error("texts wait in the spool: nobody can tell whose they are", reason=str(error))

    @asynccontextmanager
    async def draining(self) -> AsyncIterator[None]:
        """Drain the spool whenever there is something in it and Temporal answers, inside."""
        task = asyncio.create_task(self._keep_draining())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep_draining(self) -> None:
        while True:
            try:
                if self._away:
                    self._away = not await self._answers()
                while not self._away and self.spool.depth() and await self.drain():
                    pass
            except Exception as error:
                log.exception("the spool cannot be drained", error=type(error).__name__)
            await asyncio.sleep(_LOOK.total_seconds())

    async def drain(self) -> int:
        """Hand over the first of those that wait; how many were, 0 also where another process is at it."""
        with self.spool.draining() as ours:
            if not ours:
                return 0
            lines: defaultdict[str, list[Spooled]] = defaultdict(list)
            for one in self.spool.peek(_BATCH, without=self.budgets.waiting()):
                lines[one.conversation].append(one)
            room = asyncio.Semaphore(_AT_ONCE)
            taken = await asyncio.gather(*(self._drain_line(line, room) for line in lines.values()))
            done = [number for numbers in taken for number in numbers]
            await self.spool.remove(done)
        if done:
            log.info("drained the spool", events=len(done), left=self.spool.depth())
        return len(done)

    async def _drain_line(self, line: Sequence[Spooled], room: asyncio.Semaphore) -> list[int]:
        """One conversation's events in order, up to the first that is not taken."""
        taken: list[int] = []
        async with room:
            for one in line:
                if not self.budgets.go_on(one.conversation):
                    break
                try:
                    with spans.below(one.trace):
                        await self.gateway.accept([_EVENT.validate_json(one.event)])
                except TemporalUnreachable as unreachable:
                    if not _is_refused(unreachable.__cause__):
                        self._away = True
                        break
                    await self._set_aside(one)
                except Unresolved as error:  # the others need not wait for it
                    self._tell_unresolved(error)
                    break
                else:
                    taken.append(one.id)
        return taken

    async def _set_aside(self, one: Spooled) -> None:
        log.error("an event was set aside: Temporal refuses it", id=one.id)
        await self.spool.refuse(one.id, "refused by Temporal")

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                return await self.gateway.client.service_client.check_health(retry=False)
        except (RPCError, RuntimeError, OSError, TimeoutError):
            return False


def observe_spool(spool: Spool, meter: Meter | None = None) -> None:
    """Open the gauges `messaging_spool_depth`, `messaging_spool_refused` and `messaging_spool_oldest_seconds`."""
    used = meter or metrics.get_meter(SCOPE)
    gauges = {
        "messaging_spool_depth": ("Events that wait for Temporal", spool.depth),
        "messaging_spool_refused": ("Events that were set aside, since Temporal refuses them", spool.refused),
        "messaging_spool_oldest_seconds": ("For how long the first event has waited", spool.oldest),
    }
    for name, (description, read) in gauges.items():
        used.create_observable_gauge(name, callbacks=[partial(_observed, read)], description=description)


def _observed(read: Callable[[], float], _: CallbackOptions) -> Iterable[Observation]:
    return [Observation(read())]


def _count_over_budget(budget: Budget) -> None:
    _over_budget().add(1, {"budget": budget.value})


@cache
def _over_budget() -> Counter:
    return metrics.get_meter(SCOPE).create_counter(
        "messaging_over_budget_total", description="Events that came faster than a budget, by budget"
    )


def _spooled(event: InboundEvent, conversation: str) -> Spooled:
    kept = replace(event, raw={})  # the parsed form says all that a conversation needs
    return Spooled(
        key=key_of(event), conversation=conversation, event=_EVENT.dump_json(kept), trace=spans.traceparent()
    )


def _is_refused(error: BaseException | None) -> bool:
    return isinstance(error, RPCError) and error.status in _REFUSALS
