"""An agent on a language model of any provider that pydantic-ai knows.

What the model may know is looked up before and put into the prompt; tools are the user's own. Retrying is the
activity's, so the provider's client is told not to. Nothing is streamed: a text message leaves whole.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agents import prompt
from agents.engine import AgentFailed
from agents.pricing import Price
from agents.tools import Tool, ToolPolicy
from agents.turn import Draft, Learned, Turn, Utterance
from agents.written import Written
from memory.knowledge import Knowledge
from memory.markdown import Passage

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model
    from pydantic_ai.models.instrumented import InstrumentationSettings

# A text message of two segments is about 100 tokens; reasoning models spend theirs before they write.
_MAX_TOKENS = 2_000

# The agent's name in traces.
_NAME = "assistant"

# Stands for the person in a conversation that we began.
_WE_BEGAN = "(The business wrote first.)"

# HTTP statuses after which the same request may succeed: timeout, conflict, too early, rate limit.
_TRY_AGAIN = frozenset({408, 409, 425, 429})
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one reply may use: requests to the model, tokens of all of them together, and seconds.

    The window is at most 12,000 characters, knowledge and memory less: a request reads about 5,000 tokens. A tool's
    result is read again by each request after it.
    """

    requests: int = 6
    tokens: int = 60_000
    timeout: float = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmOptions:
    """What a deployment decides about the engine. `prices` are by the model's own name, without its provider."""

    instructions: str = prompt.INSTRUCTIONS
    tools: tuple[Tool, ...] = ()
    policy: ToolPolicy = field(default_factory=ToolPolicy)
    limits: Limits = field(default_factory=Limits)
    prices: Mapping[str, Price] = field(default_factory=dict)


class LlmEngine:
    """`model` by the library's name ("openai:gpt-5-mini") or one of its model objects.

    Raises ValueError naming MESSAGING_AGENT_MODEL when the library or the provider's key is missing.
    """

    def __init__(
        self, model: str | Model, knowledge: Knowledge | None = None, options: LlmOptions | None = None
    ) -> None:
        self._knowledge = knowledge
        self._options = options or LlmOptions()
        self._agent = new_agent(model, self._options, name=_NAME)
        self._agent.instrument = instrumentation()

    async def reply(self, turn: Turn) -> Draft:
        built, sources = await self.prepare(turn)
        timeout = self._options.limits.timeout
        try:
            async with asyncio.timeout(timeout):
                with translated():
                    result = await self._agent.run(built.user, **arguments(turn, built, self._options))
        except TimeoutError as error:
            raise AgentFailed(f"the model gave no answer within {timeout:g} s", retryable=True) from error
        return drafted(result, sources, self._options)

    async def prepare(self, turn: Turn) -> tuple[prompt.Prompt, tuple[str, ...]]:
        """What the model is told, and the sources of its <knowledge> in their order."""
        passages = await self._knowledge.search(turn.text) if self._knowledge else []
        shown = [_shown(row) for row in passages]
        built = prompt.build(turn, passages=shown, instructions=self._options.instructions)
        return built, tuple(f"{row.source}: {row.heading}" for row in passages)


def instrumentation(provider: TracerProvider | None = None) -> InstrumentationSettings:
    """The library's own spans of agents, models and tools, without anything that was said; by default the process's."""
    from pydantic_ai.models.instrumented import InstrumentationSettings  # noqa: PLC0415 - an extra

    return InstrumentationSettings(
        tracer_provider=provider,
        include_content=False,
        include_binary_content=False,
        include_model_request_parameters=False,
    )


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """The one place where the library's errors are translated. Their texts may hold content and stay out."""
    from pydantic_ai import exceptions  # noqa: PLC0415 - an extra

    try:
        yield
    except exceptions.ModelQuotaExceededError as error:
        raise AgentFailed("the account at the model's provider is used up", retryable=False) from error
    except exceptions.ModelHTTPError as error:
        again = error.status_code in _TRY_AGAIN or error.status_code >= _SERVER_ERROR
        raise AgentFailed(
            f"the model's provider answered {error.status_code}", retryable=again, retry_after=error.retry_after
        ) from error
    except (exceptions.ContentFilterError, exceptions.UsageLimitExceeded, exceptions.UserError) as error:
        raise AgentFailed(f"the model cannot answer this ({type(error).__name__})", retryable=False) from error
    except exceptions.AgentRunError as error:
        raise AgentFailed(f"the model failed ({type(error).__name__})", retryable=True) from error


def new_agent(model: str | Model, options: LlmOptions, **more: Any) -> Agent[Turn, Any]:
    """The library's agent, with our output and the user's tools. Raises ValueError naming MESSAGING_AGENT_MODEL."""
    name = model if isinstance(model, str) else type(model).__name__
    try:
        from pydantic_ai import Agent, exceptions  # noqa: PLC0415 - an extra

        from agents.llm_tools import bound  # noqa: PLC0415 - the same extra
    except ImportError as error:
        raise ValueError(
            f"MESSAGING_AGENT_MODEL={name!r} needs what the extra `llm` installs: "
            "pip install 'pydantic-ai-slim[openai,anthropic]'"
        ) from error
    try:
        return Agent(
            model,
            # A model that cannot fill in a form may write its answer straight away.
            output_type=[Written, str],
            deps_type=Turn,
            tools=[bound(tool, options.policy) for tool in options.tools],
            retries=1,
            **more,
        )
    except (exceptions.UserError, ImportError, ValueError) as error:  # no such provider, its package or key missing
        told = " ".join(str(error).split())
        raise ValueError(f"MESSAGING_AGENT_MODEL={name!r}: {told}") from error


def arguments(turn: Turn, built: prompt.Prompt, options: LlmOptions) -> dict[str, Any]:
    """What the library's `run` is given besides the person's text."""
    from pydantic_ai import UsageLimits  # noqa: PLC0415 - an extra

    limits = options.limits
    return {
        "deps": turn,
        "conversation_id": turn.conversation_id or None,
        "instructions": built.system,
        "message_history": messages(built.history),
        "model_settings": {"timeout": limits.timeout, "max_tokens": _MAX_TOKENS, "max_retries": 0},
        "usage_limits": UsageLimits(
            request_limit=limits.requests,
            total_tokens_limit=limits.tokens,
            # The policy refuses before; this stops a model that asks for many at once.
            tool_calls_limit=2 * options.policy.calls,
        ),
    }


def drafted(result: Any, sources: Sequence[str], options: LlmOptions) -> Draft:
    """What the model wrote as a draft. It names its sources by number, so that it can invent none."""
    output = result.output
    written = output if isinstance(output, Written) else Written(text=str(output))
    if not written.text.strip():
        raise AgentFailed("the model answered with an empty text", retryable=True)
    cited = [sources[number - 1] for number in dict.fromkeys(written.sources) if 0 < number <= len(sources)]
    return Draft(
        text=written.text.strip(),
        sources=tuple(cited),  # an answer in plain words names none
        kind="answer" if written.known else "unknown",
        handoff=written.handoff.strip(),
        facts=tuple(Learned(key=fact.about, text=fact.text) for fact in written.facts),
        **_spent(result, options),
    )


def _spent(result: Any, options: LlmOptions) -> dict[str, Any]:
    """Tokens, and dollars where a price is known."""
    used = result.usage
    usage = {"requests": used.requests, "input_tokens": used.input_tokens, "output_tokens": used.output_tokens}
    if used.tool_calls:
        usage["tool_calls"] = used.tool_calls
    if price := options.prices.get(result.response.model_name or ""):
        return {"usage": usage, "cost": price.of(input_tokens=used.input_tokens, output_tokens=used.output_tokens)}
    return {"usage": usage, "cost": None if used.cost is None else float(used.cost)}


def messages(history: Sequence[Utterance]) -> list[ModelMessage]:
    """The conversation so far, as the library holds it."""
    from pydantic_ai.messages import (  # noqa: PLC0415 - an extra
        ModelRequest,
        ModelResponse,
        TextPart,
        UserPromptPart,
    )

    # Some providers refuse a history that the model begins.
    opening = (
        [ModelRequest(parts=[UserPromptPart(content=_WE_BEGAN)])] if history and history[0].role != "contact" else []
    )
    return opening + [
        ModelRequest(parts=[UserPromptPart(content=row.text)])
        if row.role == "contact"
        else ModelResponse(parts=[TextPart(content=row.text)])
        for row in history
    ]


def _shown(passage: Passage) -> str:
    return f"[{passage.heading}]\n{passage.text}"
