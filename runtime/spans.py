"""Spans of this process: with ids that can be chosen, and with the conversation that they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

# The name of the baggage, and of the attribute that every span within gets from it.
CONVERSATION = "conversation_id"

_TRACEPARENT = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()


class Ids(RandomIdGenerator):
    """Random ids, but inside `chosen` the given one: a workflow's spans have the same in every replay."""

    def __init__(self) -> None:
        self._chosen: ContextVar[int] = ContextVar("chosen_span_id", default=0)

    @contextmanager
    def chosen(self, span_id: int) -> Iterator[None]:
        """The next span gets this id."""
        token = self._chosen.set(span_id)
        try:
            yield
        finally:
            self._chosen.reset(token)

    def generate_span_id(self) -> int:
        return self._chosen.get() or super().generate_span_id()


class ConversationSpans(SpanProcessor):
    """Puts the conversation of the baggage on each span that begins."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        found = baggage.get_baggage(CONVERSATION, parent_context)
        if isinstance(found, str):
            span.set_attribute(CONVERSATION, found)


def provider(resource: Resource | None = None) -> TracerProvider:
    """A provider of spans as this module says; sampling is as `OTEL_TRACES_SAMPLER` says."""
    made = TracerProvider(resource=resource, id_generator=Ids())
    made.add_span_processor(ConversationSpans())
    return made


def traceparent(of: Context | None = None) -> str:
    """The current span as a W3C trace context; empty where there is none."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, of)
    return carrier.get(_TRACEPARENT, "")


def context_of(parent: str, base: Context | None = None) -> Context:
    """A context in which the span of this W3C trace context is the current one."""
    return _PROPAGATOR.extract({_TRACEPARENT: parent}, base) if parent else base or Context()


@contextmanager
def below(parent: str) -> Iterator[None]:
    """Work within belongs to this W3C trace context."""
    token = context.attach(context_of(parent, context.get_current()))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def about(conversation_id: str) -> Iterator[None]:
    """Work within is about this conversation: the current span and all that begin inside say so."""
    trace.get_current_span().set_attribute(CONVERSATION, conversation_id)
    token = context.attach(baggage.set_baggage(CONVERSATION, conversation_id))
    try:
        yield
    finally:
        context.detach(token)
