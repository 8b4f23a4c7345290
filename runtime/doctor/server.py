"""Temporal and the workers on it."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError, RPCStatusCode

from messaging import diagnosis
from messaging.diagnosis import Finding
from runtime import attributes as search
from runtime import pollers, temporal
from runtime.settings import Settings
from workflows import index

_REFUSED = frozenset({RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED})
# A poll lasts a minute, and the server knows of the last one.
_RECENT = timedelta(seconds=100)


def unreached(error: Exception) -> Finding:
    """Why Temporal could not be asked."""
    if isinstance(error, RPCError) and error.status in _REFUSED:
        return diagnosis.fail("temporal", f"refuses us: {error.status.name.lower()}", "check TEMPORAL_API_KEY or TLS")
    return diagnosis.fail("temporal", "does not answer", "is it running, and is TEMPORAL_ADDRESS right?")


async def reached(client: Client) -> Finding:
    """The server and its namespace.

    Raises:
        RPCError, RuntimeError: it does not answer.
    """
    try:
        days = await temporal.retention(client) / timedelta(days=1)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return diagnosis.fail(
            "temporal", f"there is no namespace {client.namespace}", "set TEMPORAL_NAMESPACE, or create it"
        )
    return diagnosis.ok("temporal", f"answers; namespace {client.namespace} keeps closed conversations {days:g} days")


async def attributes(client: Client) -> Finding:
    """What lists are filtered by."""
    check = "search-attributes"
    try:
        found = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        return diagnosis.ok(check, f"may not be looked at here ({error.status.name.lower()})")
    if missing := [name for name in index.TYPES if name not in found.custom_attributes]:
        return diagnosis.fail(
            check,
            f"missing: {', '.join(missing)}",
            f"a worker makes them at its start, or: {search.command(client.namespace)}",
        )
    return diagnosis.ok(check, f"all {len(index.TYPES)} are there")


async def workers(client: Client, settings: Settings) -> list[Finding]:
    """Who asks for work, and of which build."""
    queue = settings.temporal_task_queue
    now = datetime.now(UTC)
    awake = [
        [one for one in await pollers.of(client, queue, kind) if now - _seen(one) < _RECENT]
        for kind in (pollers.WORKFLOWS, pollers.ACTIVITIES)
    ]
    if not all(awake):
        found = [diagnosis.fail("workers", f"nobody asks the queue {queue} for work", "start `messaging worker`")]
    else:
        names = {one.identity for one in awake[0]}
        found = [diagnosis.ok("workers", f"{len(names)} ask the queue {queue} for work")]
    if settings.messaging_deployment:
        found.append(await _build(client, settings.messaging_deployment, settings.messaging_build_id or ""))
    return found


def _seen(one: Any) -> datetime:
    seen: datetime = one.last_access_time.ToDatetime(tzinfo=UTC)
    return seen


async def _build(client: Client, deployment: str, build: str) -> Finding:
    check = "builds"
    command = f"temporal worker deployment set-current-version --deployment-name {deployment} --build-id {build}"
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=deployment)
    try:
        told = await client.workflow_service.describe_worker_deployment(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return diagnosis.fail(check, f"no worker of the deployment {deployment} has ever run", "start one")
    current = told.worker_deployment_info.routing_config.current_deployment_version.build_id
    if not current:
        return diagnosis.fail(check, "no build is the current one: workers get no new work", command)
    if current != build:
        return diagnosis.warn(check, f"the current build is {current}, not ours", f"if ours is to be: {command}")
    return diagnosis.ok(check, f"ours, {build}, is the current one")


async def clock(client: Client) -> Finding:
    """The server's clock, by the creation of a schedule that never runs and is deleted at once."""
    check = "clock-temporal"
    never = Schedule(
        action=ScheduleActionStartWorkflow("Nothing", id="doctor", task_queue="doctor"),
        spec=ScheduleSpec(),
        state=ScheduleState(paused=True, note="messaging doctor looks at the clock"),
    )
    try:
        began = time.time()
        handle = await client.create_schedule(f"messaging-doctor-{uuid.uuid4().hex}", never)
        ended = time.time()
        try:
            theirs = (await handle.describe()).info.created_at
        finally:
            await handle.delete()
    except RPCError as error:
        return diagnosis.ok(check, f"not compared: {error.status.name.lower()}")
    return diagnosis.clock(check, "Temporal", (began + ended) / 2 - theirs.timestamp())
