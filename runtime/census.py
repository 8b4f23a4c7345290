"""How many conversations are open, and how much work waits for workers, asked of Temporal: what gauges show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from messaging.metrics import SCOPE
from runtime.temporal import is_unreachable
from workflows import contracts

log = structlog.get_logger(__name__)

# A scrape comes every 15 to 60 s; counting asks the visibility store, which is not built for more.
EVERY = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Tasks that no worker has taken yet, and for how long the oldest has waited."""

    kind: str
    tasks: int
    seconds: float


_KINDS = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


class Census:
    """The counts of the last look. They are the namespace's: every API process that is scraped shows the same."""

    def __init__(self, client: Client, providers: Sequence[str], *, queue: str = "", every: timedelta = EVERY) -> None:
        self._client = client
        self._providers = tuple(providers)
        self._every = every
        self._counts: tuple[tuple[str, int], ...] = ()
        self._queue = queue
        self._waiting: tuple[Waiting, ...] = ()

    def waiting(self) -> Iterable[Waiting]:
        """What waits in the queue by kind of task; nothing while Temporal cannot tell."""
        return self._waiting

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
                if self._queue:
                    self._waiting = tuple([await self._backlog(name, kind) for name, kind in _KINDS.items()])
        except Exception as error:
            self._counts, self._waiting = (), ()
            if not is_unreachable(error):
                raise
            log.debug("conversations cannot be counted", error=type(error).__name__)

    async def _backlog(self, name: str, kind: TaskQueueType.ValueType) -> Waiting:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=self._queue),
            task_queue_type=kind,
            report_stats=True,
        )
        stats = (await self._client.workflow_service.describe_task_queue(request)).stats
        return Waiting(
            kind=name,
            tasks=stats.approximate_backlog_count,
            seconds=stats.approximate_backlog_age.ToTimedelta().total_seconds(),
        )

    async def _open(self, provider: str) -> int:
        # Every workflow id begins with its provider's name: `workflows.ids`.
        query = (
            f'WorkflowType = "{contracts.WORKFLOW}" AND ExecutionStatus = "Running" '
            f'AND WorkflowId STARTS_WITH "{provider}-"'
        )
        return (await self._client.count_workflows(query)).count


def observe_backlog(census: Census, meter: Meter | None = None) -> None:
    """Open the gauges `messaging_backlog_tasks` and `messaging_backlog_seconds`."""
    used = meter or metrics.get_meter(SCOPE)

    def tasks(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(found.tasks, {"kind": found.kind}) for found in census.waiting()]

    def seconds(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(found.seconds, {"kind": found.kind}) for found in census.waiting()]

    used.create_observable_gauge("messaging_backlog_tasks", [tasks], description="Tasks that wait for a worker")
    used.create_observable_gauge(
        "messaging_backlog_seconds", [seconds], description="For how long the oldest task has waited for a worker"
    )
