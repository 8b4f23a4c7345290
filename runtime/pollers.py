"""Who asks a task queue for work."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY


async def of(client: Client, task_queue: str, kind: TaskQueueType.ValueType = WORKFLOWS) -> Sequence[PollerInfo]:
    """Those of the last minutes, as the server remembers them: a worker that was killed is among them for a while.

    Raises:
        RPCError
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
    )
    return (await client.workflow_service.describe_task_queue(request)).pollers
