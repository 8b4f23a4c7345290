"""Puts sweeps together: the way in that they take, and the schedule that starts them."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from messaging.backend import ConversationalBackend
from messaging.model import InboundEvent
from runtime import forgotten, pollers, temporal
from runtime.fates import ConversationSilent, FateBook
from runtime.gateway import Gateway
from runtime.temporal import TemporalUnreachable
from workflows.sweeping import OVERLAP, SCHEDULE, SETTLING, SWEEP, SweepOrder, Swept

log = structlog.get_logger(__name__)

# Conversations that are asked at once, or handed to.
_AT_ONCE = 16
# A flood that webhooks bring at the sender's own rate must not come by a sweep at once.
MOST_OF_ONE = 100
# A worker that has just started may not have asked yet.
PATIENCE = timedelta(seconds=5)


def listing(backends: Mapping[str, ConversationalBackend]) -> tuple[str, ...]:
    """The providers that can list what came in."""
    return tuple(name for name, backend in backends.items() if backend.capabilities.lists_inbound)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepIntake:
    """Asks each conversation once, and signals it as a webhook would: the same event is the same text. Of who was
    forgotten, nothing from before that is handed in."""

    gateway: Gateway
    fates: FateBook

    async def unseen(self, events: Sequence[InboundEvent]) -> tuple[list[InboundEvent], int]:
        """Those that no conversation knows of, in the same order; and of how many nobody can tell now. A conversation
        that does not answer holds up nobody else's texts.

        Raises:
            TemporalUnreachable
        """
        room = asyncio.Semaphore(_AT_ONCE)
        silent: set[str] = set()

        async def known(conversation: str, keys: list[str]) -> Iterable[str]:
            async with room:
                try:
                    return await self.fates.look(conversation, keys)
                except ConversationSilent:
                    silent.update(keys)
                    return ()

        keys = {name: [event.event_key for event in line] for name, line in self._lines(events).items()}
        found = await asyncio.gather(*(known(name, line) for name, line in keys.items()))
        seen = {key for some in found for key in some}
        lost = [event for event in events if event.event_key not in seen | silent]
        try:
            gone = await forgotten.times(self.fates.client) if lost else {}
        except RPCError as error:
            raise TemporalUnreachable from error
        return [event for event in lost if not await self._is_forgotten(event, gone)], len(silent)

    async def _is_forgotten(self, event: InboundEvent, gone: Mapping[str, datetime]) -> bool:
        when = gone.get(await self.gateway.contact_id(event)) if gone else None
        return when is not None and event.received_at <= when

    async def hand_in(self, events: Sequence[InboundEvent]) -> int:
        """Each conversation's first ones, in order; how many are left.

        Raises:
            TemporalUnreachable
        """
        room = asyncio.Semaphore(_AT_ONCE)

        async def hand(line: list[InboundEvent]) -> int:
            async with room:
                for event in line[:MOST_OF_ONE]:
                    await self.gateway.accept([event])
            return len(line[MOST_OF_ONE:])

        return sum(await asyncio.gather(*map(hand, self._lines(events).values())))

    def _lines(self, events: Sequence[InboundEvent]) -> dict[str, list[InboundEvent]]:
        lines: defaultdict[str, list[InboundEvent]] = defaultdict(list)
        for event in events:
            lines[self.gateway.conversation_id(event)].append(event)
        return lines


def schedule_id(task_queue: str) -> str:
    """Deployments that share a namespace have a queue each, and sweep each for itself."""
    return f"{SCHEDULE}-{task_queue}"


async def keep_sweeping(client: Client, task_queue: str, providers: Sequence[str], every: timedelta) -> None:
    """Have the server start sweeps at this interval, or none where it is 0. Any number of processes may say so at once;
    a schedule that somebody paused stays so.

    Raises:
        RPCError
    """
    name = schedule_id(task_queue)
    handle = client.get_schedule_handle(name)
    if not every or not providers:
        try:
            await handle.delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return
    wanted = _schedule(task_queue, providers, every, await temporal.retention(client))

    def changed(found: ScheduleUpdateInput) -> ScheduleUpdate:
        wanted.state = found.description.schedule.state
        return ScheduleUpdate(schedule=wanted)

    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:
        await handle.update(changed)


class NobodySweeps(Exception):
    """No worker asks for work."""


class TooLongAgo(ValueError):
    """What closed so long ago is not kept, so nobody can tell what was answered then."""

    def __init__(self, longest: timedelta) -> None:
        super().__init__(
            f"--since: at most {longest / timedelta(days=1):g} days back, which is how long the namespace keeps what "
            "has closed; older texts may have been answered, and nobody knows"
        )


async def sweep_now(
    client: Client, task_queue: str, providers: Sequence[str], *, since: datetime, until: datetime
) -> Swept:
    """One sweep of somebody's own, beside the scheduled ones. It goes on where the caller goes away.

    Raises:
        NobodySweeps, TooLongAgo, TemporalUnreachable
    """
    if not providers:
        return Swept()
    name = f"{schedule_id(task_queue)}-by-hand-{uuid.uuid4().hex[:8]}"
    try:
        if not await pollers.appear(client, task_queue, within=PATIENCE):
            raise NobodySweeps
        longest = await temporal.retention(client)
        if since < datetime.now(UTC) - longest:
            raise TooLongAgo(longest)
        order = SweepOrder(providers=tuple(providers), since=since, until=until, longest=longest.total_seconds())
        done: Swept = await client.execute_workflow(SWEEP, order, id=name, task_queue=task_queue, result_type=Swept)
    except RPCError as error:
        raise TemporalUnreachable from error
    return done


def _schedule(task_queue: str, providers: Sequence[str], every: timedelta, longest: timedelta) -> Schedule:
    first = every + OVERLAP + SETTLING
    order = SweepOrder(providers=tuple(providers), first=first.total_seconds(), longest=longest.total_seconds())
    return Schedule(
        action=ScheduleActionStartWorkflow(
            SWEEP,
            order,
            id=schedule_id(task_queue),
            task_queue=task_queue,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        # One at a time: the next goes on from it. After an outage of the server one that was missed is made up for.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=max(every, timedelta(minutes=1))),
    )
