"""Spans kept in memory, and what a test asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime import spans


@dataclass(slots=True)
class Traces:
    """What one provider's spans were."""

    provider: TracerProvider
    exporter: InMemorySpanExporter = field(repr=False)

    @property
    def finished(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.finished if span.name == name]

    def parent_of(self, span: ReadableSpan) -> str:
        """The parent's name; empty where there is none, and "lost" where it was never told."""
        if span.parent is None:
            return ""
        found = [s.name for s in self.finished if s.context.span_id == span.parent.span_id]
        return found[0] if found else "lost"

    def tree(self, root: ReadableSpan) -> list[tuple[str, str]]:
        """(parent, name) of every span of the root's trace, in order."""
        mine = [span for span in self.finished if span.context.trace_id == root.context.trace_id]
        return sorted((self.parent_of(span), span.name) for span in mine)


@contextmanager
def kept_traces() -> Iterator[Traces]:
    exporter = InMemorySpanExporter()
    provider = spans.provider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Traces(provider, exporter)
    provider.shutdown()
