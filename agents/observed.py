"""Any engine, observed: a span for each reply, by the conventions for generative AI. No text of anybody is in it.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-agent-spans/
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from agents.engine import ReplyEngine
from agents.turn import Draft, Turn

# The names in a draft's usage, and those of the conventions.
_USAGE = {"input_tokens": "gen_ai.usage.input_tokens", "output_tokens": "gen_ai.usage.output_tokens"}


class ObservedEngine:
    """Answers as the engine inside does. `name` is the agent's, `system` who makes it (`gen_ai.provider.name`)."""

    def __init__(self, engine: ReplyEngine, *, name: str, system: str) -> None:
        self._engine = engine
        self._name = name
        self._system = system
        self._tracer = trace.get_tracer("messaging.agents")

    async def reply(self, turn: Turn) -> Draft:
        """Raises what the engine raises."""
        with self._tracer.start_as_current_span(
            f"invoke_agent {self._name}",
            kind=SpanKind.INTERNAL,
            attributes={
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.provider.name": self._system,
                "gen_ai.agent.name": self._name,
                "gen_ai.conversation.id": turn.conversation_id,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                draft = await self._engine.reply(turn)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
            span.set_attributes({_USAGE[name]: count for name, count in draft.usage.items() if name in _USAGE})
            return draft
