"""Who asks a task queue for work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW

ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
_EVERY = 0.25  # seconds between two looks


async def of(client: Client, task_queue: str, kind: TaskQueueType.ValueType = WORKFLOWS) -> Sequence[PollerInfo]:
    """Those of the last minutes, as the server remembers them: a worker that was killed is among them for a while.

    Raises:
        RPCError
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
    )
    return (await client.workflow_service.describe_task_queue(request)).pollers


async def appear(client: Client, task_queue: str, *, within: timedelta) -> bool:
    """Whether somebody asks, now or soon.

    Raises:
        RPCError
    """
    deadline = asyncio.get_running_loop().time() + within.total_seconds()
    while not await of(client, task_queue):
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(_EVERY)
    return True
