"""The conversations: stuck ones, parked turns, and whether lost texts are looked for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from messaging import diagnosis
from messaging.diagnosis import Finding
from runtime.settings import Settings
from runtime.sweeping import schedule_id
from workflows import contracts, index
from workflows.sweeping import Swept

_AT_ONCE = 16
# How many are named; the rest is counted.
_NAMED = 5
# A workflow task that a dying worker took is tried again once or twice; more is code that does not fit its history.
_TRIES = 2
# Attempts of a step whose beginning the server does not tell. Of writing to memory, ten are some minutes.
_MANY = 10
_OPEN = f"WorkflowType = '{contracts.WORKFLOW}' AND ExecutionStatus = 'Running'"


async def stuck(client: Client, *, after: timedelta, most: int) -> list[Finding]:
    """Open conversations that do not get on, by what holds them up."""
    found = {run.id async for run in client.list_workflows(_OPEN, limit=most)}
    found |= await _reported(client)
    room = asyncio.Semaphore(_AT_ONCE)
    now = datetime.now(UTC)

    async def look(name: str) -> tuple[str, str, str]:
        async with room:
            return name, *await _look(client, name, now - after)

    looked = await asyncio.gather(*map(look, sorted(found)))
    tasks = [name for name, task, _ in looked if task]
    steps = [(name, step) for name, _, step in looked if step]
    findings = []
    if tasks:
        findings.append(
            diagnosis.fail(
                "stuck-tasks",
                f"{len(tasks)} conversations cannot go on, their workflow task fails: {_named(tasks)}",
                "`messaging replay ID` says where; deploy the code before, or set it right and deploy that",
            )
        )
    if steps:
        told = [f"{name} ({step})" for name, step in steps]
        findings.append(
            diagnosis.fail(
                "stuck-turns",
                f"{len(steps)} conversations make no progress: {_named(told)}",
                "the activity in Temporal UI has every attempt; `messaging conversations show ID` what it is for",
            )
        )
    return findings or [diagnosis.ok("stuck", f"{len(found)} open conversations looked into, none is stuck")]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


async def _reported(client: Client) -> set[str]:
    """What the server itself has noticed; it knows also of conversations older than those that we look into."""
    try:
        query = f"{_OPEN} AND TemporalReportedProblems IS NOT NULL"
        return {run.id async for run in client.list_workflows(query, limit=1000)}
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:  # a server that does not notice
            return set()
        raise


async def _look(client: Client, name: str, before: datetime) -> tuple[str, str]:
    """What fails of its workflow task, and which step is stuck; empty for nothing."""
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=name)
    )
    try:
        told = await client.workflow_service.describe_workflow_execution(request)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # it has ended meanwhile
            return "", ""
        raise
    task = told.pending_workflow_task
    if told.HasField("pending_workflow_task"):
        if task.attempt > _TRIES:
            return f"attempt {task.attempt}", ""
        if _at(task.original_scheduled_time) < before:
            return "", "no worker takes its workflow task"
    steps = [_step(one) for one in told.pending_activities if _began(one) < before or one.attempt >= _MANY]
    return "", steps[0] if steps else ""


def _began(activity: Any) -> datetime:
    """When its first attempt was due: the server tells only when all of them end, and when the next one is due."""
    total: timedelta = activity.activity_options.schedule_to_close_timeout.ToTimedelta()
    if total and activity.expiration_time.seconds:
        return _at(activity.expiration_time) - total
    return _at(activity.scheduled_time)


def _step(activity: Any) -> str:
    kind = activity.last_failure.application_failure_info.type
    return f"{activity.activity_type.name}, attempt {activity.attempt}{f', {kind}' if kind else ''}"


def _at(stamp: Any) -> datetime:
    found: datetime = stamp.ToDatetime(tzinfo=UTC)
    return found if stamp.seconds else datetime.now(UTC)


async def parked(client: Client) -> Finding:
    """Turns that wait for a human."""
    try:
        count = (await client.count_workflows(f"{_OPEN} AND {index.PARKED.name} > 0")).count
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            return diagnosis.ok("parked", "cannot be counted without the search attributes")
        raise
    if count:
        return diagnosis.warn(
            "parked", f"{count} conversations have turns that failed", "`messaging parked list`; then retry or drop"
        )
    return diagnosis.ok("parked", "no turn waits for a human")


async def sweeps(client: Client, settings: Settings) -> Finding:
    """Whether what no webhook brought is looked for."""
    check = "sweeps"
    if not settings.messaging_sweep_every:
        return diagnosis.ok(check, "turned off by MESSAGING_SWEEP_EVERY=0")
    try:
        told = await client.get_schedule_handle(schedule_id(settings.temporal_task_queue)).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return diagnosis.warn(check, "there is no schedule", "start a worker that has MESSAGING_ID_KEY; it makes it")
    if told.schedule.state.paused:
        return diagnosis.warn(check, "the schedule is paused", "unpause it in Temporal UI, under Schedules")
    if not told.info.recent_actions:
        return diagnosis.ok(check, "none was due yet")
    latest = told.info.recent_actions[-1].action
    handle = client.get_workflow_handle(
        getattr(latest, "workflow_id", ""),
        run_id=getattr(latest, "first_execution_run_id", None),
        result_type=Swept,
    )
    try:
        swept: Swept = await handle.result(rpc_timeout=timedelta(seconds=2))
    except (WorkflowFailureError, RPCError):
        return diagnosis.ok(check, "one is running, or its result is past retention")
    if swept.failed:
        why = "; ".join(f"{name}: {reason}" for name, reason in swept.failed.items())
        return diagnosis.fail(check, f"the latest could not list: {why}", "the next one begins where it began")
    recovered = sum(swept.recovered.values())
    return diagnosis.ok(check, f"the latest listed {sum(swept.listed.values())} messages, and recovered {recovered}")
