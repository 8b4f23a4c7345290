"""One way to reach Temporal, for every process: the client, its data converter, and the sandbox of workflow code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from temporalio import workflow
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, Interceptor, WorkflowFailureError
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.envconfig import ClientConfig
from temporalio.exceptions import TemporalError
from temporalio.runtime import Runtime
from temporalio.service import RetryConfig, RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from runtime import converter
from runtime.codec import Sealing
from runtime.settings import Settings
from workflows.contracts import PreviousRun
from workflows.conversation import ConversationWorkflow
from workflows.state import ConversationState

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Workflow tasks at once in a worker. Each must end within the server's 10 s, which a hundred on a busy machine did not,
# and what a killed worker held waits these 10 s out. Enough where each waits 3 s for a deaf memory.
TASKS = 32
BEAT = timedelta(seconds=2)  # an activity that lives is heard of so often, however seldom it must be
STICKY = timedelta(seconds=2)  # after kill -9 the next text waits this long for the dead worker

# Seconds between two tries to reach a server that is still starting.
RECONNECT = 0.5

# How a server answers, or does not, that goes away or comes up.
_PASSING = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})

# Our pure modules, imported once for all conversations: what they define is only data and functions of their arguments.
# The conversation itself and its steps stay inside the sandbox.
_PASSED_THROUGH = (
    "agents",
    "memory",
    "messaging",
    "workflows.alarm",
    "workflows.alert",
    "workflows.answer",
    "workflows.approval",
    "workflows.backlog",
    "workflows.budget",
    "workflows.catalogue",
    "workflows.companions",
    "workflows.consent",
    "workflows.contact",
    "workflows.context",
    "workflows.contracts",
    "workflows.departure",
    "workflows.drawing",
    "workflows.failure",
    "workflows.fate",
    "workflows.flow",
    "workflows.glance",
    "workflows.guard",
    "workflows.handoff",
    "workflows.ids",
    "workflows.inbox",
    "workflows.index",
    "workflows.length",
    "workflows.media",
    "workflows.optout",
    "workflows.outbox",
    "workflows.outgoing",
    "workflows.parked",
    "workflows.parts",
    "workflows.policy",
    "workflows.quiet",
    "workflows.remembering",
    "workflows.requests",
    "workflows.reviving",
    "workflows.saying",
    "workflows.segments",
    "workflows.state",
    "workflows.sweeping",
    "workflows.telling",
    "workflows.tool",
    "workflows.tracing",
    "workflows.trouble",
    "workflows.views",
)


CONVERTER = converter.sharing(_PASSED_THROUGH)


def data_converter(sealing: PayloadCodec | None = None) -> DataConverter:
    """How values travel: encrypted, messages of failures too, where there are keys.

    Raises:
        ValueError: MESSAGING_CODEC_KEYS holds what is no key.
    """
    used = sealing or Sealing.of_environment()
    if used is None:
        return CONVERTER
    return replace(CONVERTER, payload_codec=used, failure_converter_class=DefaultFailureConverterWithEncodedAttributes)


def workflow_runner() -> SandboxedWorkflowRunner:
    """The sandbox, the same for workers and for replay."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*_PASSED_THROUGH))


def deployment(name: str, build_id: str) -> WorkerDeploymentConfig:
    """A worker of this build. Its conversations stay with it until they continue as new."""
    version = WorkerDeploymentVersion(deployment_name=name, build_id=build_id)
    return WorkerDeploymentConfig(
        version=version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.PINNED
    )


def worker_options(settings: Settings) -> dict[str, Any]:
    """How every worker of ours runs, whatever it runs."""
    options: dict[str, Any] = {
        "task_queue": settings.temporal_task_queue,
        "workflow_runner": workflow_runner(),
        "sticky_queue_schedule_to_start_timeout": STICKY,
        "max_heartbeat_throttle_interval": BEAT,
        "max_concurrent_workflow_tasks": TASKS,
        # What runs may finish; the rest is handed back, and another worker begins it anew.
        "graceful_shutdown_timeout": timedelta(seconds=settings.messaging_shutdown_grace),
    }
    if settings.messaging_deployment and settings.messaging_build_id:
        options["deployment_config"] = deployment(settings.messaging_deployment, settings.messaging_build_id)
    return options


async def check_sandbox() -> None:
    """Load the conversation and all installed flows as a worker does for each conversation.

    Raises:
        ValueError: the sandbox refuses one; the message says what it imports that it must not.
    """
    defined = workflow._Definition.must_from_class(ConversationWorkflow)  # noqa: SLF001 - prepare_workflow takes no other
    try:
        workflow_runner().prepare_workflow(defined)
    except Exception as error:
        raise ValueError(f"a flow cannot be loaded in the workflow sandbox: {type(error).__name__}: {error}") from error


async def connect(
    *,
    interceptors: Sequence[Interceptor] = (),
    runtime: Runtime | None = None,
    lazy: bool = False,
    patience: timedelta = timedelta(seconds=10),
    sealing: PayloadCodec | None = None,
) -> Client:
    """A client as `TEMPORAL_*` says (address, namespace, TLS, API key, profile).

    A lazy one connects at its first call. `patience` bounds the retries of a call. `sealing` encrypts; without it,
    MESSAGING_CODEC_KEYS of the environment says, so that no caller can forget it.
    """
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "127.0.0.1:7233")
    retries = RetryConfig(max_elapsed_time_millis=round(patience.total_seconds() * 1000))
    return await Client.connect(
        **config,
        data_converter=data_converter(sealing),
        interceptors=list(interceptors),
        lazy=lazy,
        retry_config=retries,
        runtime=runtime,
    )


async def retention(client: Client) -> timedelta:
    """For how long the namespace keeps a run that has closed.

    Raises:
        RPCError
    """
    request = DescribeNamespaceRequest(namespace=client.namespace)
    found = (await client.workflow_service.describe_namespace(request)).config.workflow_execution_retention_ttl
    kept: timedelta = found.ToTimedelta()
    return kept


async def connect_when_up(
    *, interceptors: Sequence[Interceptor] = (), runtime: Runtime | None = None, sealing: PayloadCodec | None = None
) -> Client:
    """A connected client, however long the server takes to come up."""
    while True:
        try:
            return await connect(interceptors=interceptors, runtime=runtime, sealing=sealing)
        except RuntimeError as error:
            log.info("waiting for Temporal", error=str(error))
            await asyncio.sleep(RECONNECT)


async def when_up(ask: Callable[[], Awaitable[T]]) -> T:
    """What the server answers, however long it takes to come up again.

    Raises:
        RPCError: it has answered, and refuses.
    """
    while True:
        try:
            return await ask()
        except RPCError as error:
            if error.status not in _PASSING:
                raise
            log.info("waiting for Temporal", error=error.message)
            await asyncio.sleep(RECONNECT)


@dataclass(frozen=True, slots=True)
class TemporalRuns:
    """The closed runs of conversations, as Temporal keeps them for its retention time."""

    client: Client

    async def result(self, run: PreviousRun) -> ConversationState | None:
        """What the run returned; None where it did not end by itself, or is gone."""
        handle = self.client.get_workflow_handle(run.conversation_id, run_id=run.run_id, result_type=ConversationState)
        try:
            # A chain of continued runs is one run here: the one that ended it returned.
            found: ConversationState = await handle.result(rpc_timeout=timedelta(seconds=4))
        except WorkflowFailureError:
            return None
        except RPCError as error:
            if error.status.name == "NOT_FOUND":
                return None
            raise
        return found


class TemporalUnreachable(Exception):
    """Temporal does not answer, or did not take what it was given; the same may be tried again."""


def is_unreachable(error: BaseException) -> bool:
    """Whether Temporal could not be asked at all, as opposed to having said no."""
    return isinstance(error, (RPCError, TemporalError, RuntimeError, OSError, TimeoutError))
