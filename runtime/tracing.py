"""One trace across Temporal: its context crosses each border in a header, and the spans of workflows are told by them.

The header holds the trace context only, some 60 bytes: which conversation it is about, the workflow's id says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer
from temporalio import activity, client, worker, workflow
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadConverter
from temporalio.service import RPCError, RPCStatusCode

from runtime import spans
from runtime.turn_metrics import TurnMetrics
from workflows import contracts, telling, tracing

SCOPE = "messaging.temporal"

# As Temporal's own interceptors name it, so that workers in other languages find it.
HEADER = "_tracer-data"

Headers = Mapping[str, Payload]


class Tracing(client.Interceptor, worker.Interceptor):
    """For the Temporal client of a process; a worker of that client is traced too.

    Args:
        provider: By default the process's.
        metrics: What is counted of turns and sends.
    """

    def __init__(self, provider: TracerProvider | None = None, metrics: TurnMetrics | None = None) -> None:
        used = provider or trace.get_tracer_provider()
        self._ids = getattr(used, "id_generator", None)
        self._tracer = used.get_tracer(SCOPE)
        self._metrics = metrics

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:  # noqa: A002 - Temporal's name
        return _Calls(next, self._tracer)

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:  # noqa: A002
        return _Activities(next, self._tracer)

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: A002
    ) -> type[worker.WorkflowInboundInterceptor]:
        input.unsafe_extern_functions[telling.TELL] = self.told
        return _Workflows

    def told(self, what: telling.Told) -> None:
        """A workflow says what happened in it."""
        if self._metrics is not None:
            self._metrics.told(what)
        if isinstance(what, telling.StepEnded) and what.context:
            self._span(f"step {what.name}", what, {"step": what.name, "status": what.status}, error=what.status)
        elif isinstance(what, telling.TurnEnded) and what.context:
            facts = {
                "turn": what.number,
                "outcome": what.outcome,
                "texts": what.texts,
                "drafts": what.drafts,
                "channel": what.channel,
                "provider": what.provider,
            }
            self._span("turn", what, facts, error=what.outcome, links=what.links)

    def _span(
        self,
        name: str,
        ended: telling.StepEnded | telling.TurnEnded,
        facts: Mapping[str, Any],
        *,
        error: str,
        links: tuple[str, ...] = (),
    ) -> None:
        if not isinstance(self._ids, spans.Ids):
            return
        with self._ids.chosen(_of(ended.context).span_id):
            span = self._tracer.start_span(
                name,
                context=spans.context_of(ended.parent),
                attributes={spans.CONVERSATION: ended.conversation_id, **facts},
                links=[Link(_of(link)) for link in links],
                start_time=_nanoseconds(ended.started_at),
            )
        if error in _FAILED:
            span.set_attribute("error.type", error)
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(_nanoseconds(ended.ended_at))


_FAILED = frozenset({"failed", "parked"})


class _Calls(client.OutboundInterceptor):
    """What this process asks of Temporal."""

    def __init__(self, next: client.OutboundInterceptor, tracer: Tracer) -> None:  # noqa: A002
        super().__init__(next)
        self._tracer = tracer

    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:  # noqa: A002
        verb = "SignalWithStartWorkflow" if input.start_signal else "StartWorkflow"
        with self._span(f"{verb}:{input.workflow}", input.id):
            input.headers = _stamped(input.headers)
            return await super().start_workflow(input)

    async def signal_workflow(self, input: client.SignalWorkflowInput) -> None:  # noqa: A002
        with self._span(f"SignalWorkflow:{input.signal}", input.id):
            input.headers = _stamped(input.headers)
            await super().signal_workflow(input)

    async def query_workflow(self, input: client.QueryWorkflowInput) -> Any:  # noqa: A002
        with self._span(f"QueryWorkflow:{input.query}", input.id):
            return await super().query_workflow(input)

    async def start_workflow_update(
        self,
        input: client.StartWorkflowUpdateInput,  # noqa: A002
    ) -> client.WorkflowUpdateHandle[Any]:
        with self._span(f"StartWorkflowUpdate:{input.update}", input.id):
            input.headers = _stamped(input.headers)
            return await super().start_workflow_update(input)

    @contextmanager
    def _span(self, name: str, workflow_id: str) -> Iterator[None]:
        with _spanning(self._tracer, name, SpanKind.CLIENT, {"temporalWorkflowID": workflow_id}):
            yield


class _Activities(worker.ActivityInboundInterceptor):
    """What this worker does for workflows."""

    def __init__(self, next: worker.ActivityInboundInterceptor, tracer: Tracer) -> None:  # noqa: A002
        super().__init__(next)
        self._tracer = tracer

    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:  # noqa: A002
        info = activity.info()
        facts = {
            "temporalWorkflowID": info.workflow_id or "",
            "temporalRunID": info.workflow_run_id or "",
            "temporalActivityID": info.activity_id,
            "attempt": info.attempt,
        }
        concerned = info.workflow_id if info.workflow_type == contracts.WORKFLOW else None
        with (
            spans.below(_arrived(input.headers)),
            spans.about(concerned) if concerned else _nothing(),
            _spanning(self._tracer, f"RunActivity:{info.activity_type}", SpanKind.SERVER, facts),
        ):
            return await super().execute_activity(input)


class _Workflows(worker.WorkflowInboundInterceptor):
    """Runs in the sandbox: it only passes strings on."""

    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_Commands(outbound))

    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:  # noqa: A002
        # A conversation lasts for weeks, and each of its turns belongs to the trace of its own texts.
        lasting = workflow.info().workflow_type == contracts.WORKFLOW
        with tracing.within("" if lasting else _arrived(input.headers)):
            return await super().execute_workflow(input)

    async def handle_signal(self, input: worker.HandleSignalInput) -> None:  # noqa: A002
        with tracing.within(_arrived(input.headers)):
            await super().handle_signal(input)

    async def handle_update_handler(self, input: worker.HandleUpdateInput) -> Any:  # noqa: A002
        with tracing.within(_arrived(input.headers)):
            return await super().handle_update_handler(input)


class _Commands(worker.WorkflowOutboundInterceptor):
    """What a workflow asks for, in the name of the span that it asks in."""

    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002
        input.headers = _stamped(input.headers, tracing.here())
        return super().start_activity(input)

    def start_local_activity(self, input: worker.StartLocalActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002
        input.headers = _stamped(input.headers, tracing.here())
        return super().start_local_activity(input)

    async def start_child_workflow(
        self,
        input: worker.StartChildWorkflowInput,  # noqa: A002
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        input.headers = _stamped(input.headers, tracing.here())
        return await super().start_child_workflow(input)

    async def signal_external_workflow(self, input: worker.SignalExternalWorkflowInput) -> None:  # noqa: A002
        input.headers = _stamped(input.headers, tracing.here())
        await super().signal_external_workflow(input)


@contextmanager
def _spanning(tracer: Tracer, name: str, kind: SpanKind, facts: Mapping[str, Any]) -> Iterator[Span]:
    """A span whose error is told by its type: others' words may quote anything."""
    manager = tracer.start_as_current_span(
        name, kind=kind, attributes=facts, record_exception=False, set_status_on_exception=False
    )
    with manager as span:
        try:
            yield span
        except Exception as error:
            if not _is_expected(error):
                span.set_attribute("error.type", _kind(error))
                span.set_status(Status(StatusCode.ERROR, _kind(error)))
            raise


def _is_expected(error: Exception) -> bool:
    """A conversation that has no open run is signalled first all the same."""
    return isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND


def _kind(error: Exception) -> str:
    return getattr(error, "type", None) or type(error).__name__


@contextmanager
def _nothing() -> Iterator[None]:
    yield


_CONVERTER = PayloadConverter.default


def _stamped(headers: Headers, context: str | None = None) -> Headers:
    """With this trace context, or that of the current span."""
    found = spans.traceparent() if context is None else context
    return {**headers, HEADER: _CONVERTER.to_payload({"traceparent": found})} if found else headers


def _arrived(headers: Headers) -> str:
    """The trace context that came along; whatever is none is ignored."""
    if (payload := headers.get(HEADER)) is None:
        return ""
    carrier = _CONVERTER.from_payload(payload)
    found = carrier.get("traceparent") if isinstance(carrier, dict) else None
    return found if isinstance(found, str) else ""


def _of(context: str) -> trace.SpanContext:
    return trace.get_current_span(spans.context_of(context)).get_span_context()


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
