"""The row of the bare workflow: its own worker on the same server, signalled by the driver itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from tests.bench import arrivals, bare, process
from tests.bench.crowd import Crowd
from tests.bench.ours import Stack
from tests.bench.row import Row


@asynccontextmanager
async def opened(folder: Path, client: Client, beside: Stack, *, people: int, seed: int) -> AsyncIterator[Row]:
    """One open workflow a person, and a worker that polls."""
    crowd = Crowd("bare", people=people, seed=seed)

    async def ready() -> bool:
        request = DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=bare.QUEUE))
        return bool((await client.workflow_service.describe_task_queue(request)).pollers)

    async with arrivals.listening(crowd.arrived) as report_to:
        arguments = ("tests.bench.bare_worker", "--address", beside.temporal, "--report-to", str(report_to))
        async with process.running("bare", *arguments, folder=folder, ready=ready) as pid:
            handles = [
                await client.start_workflow(bare.NAME, id=f"bare-{person}", task_queue=bare.QUEUE)
                for person in range(people)
            ]

            async def send(person: int, text: str) -> None:
                await handles[person].signal("receive", text)

            pids = {"worker": pid, "Temporal server": beside.temporal_pid}
            yield Row(crowd=crowd, send=send, pids=pids, workflow=bare.NAME)
