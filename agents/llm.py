"""An agent on a language model of any provider that pydantic-ai knows.

One request per reply, no tools: what the model may know is looked up before and put into the prompt. Retrying is the
activity's, so the provider's client is told not to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agents import prompt
from agents.engine import AgentFailed
from agents.turn import Draft, Turn, Utterance
from memory.knowledge import KnowledgeBase, Passage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model

# A text message of two segments is about 100 tokens; reasoning models spend theirs before they write.
_MAX_TOKENS = 2_000

# The window is at most 12,000 characters, knowledge and memory less; past this something is wrong.
_INPUT_TOKENS = 20_000

# Stands for the person in a conversation that we began.
_WE_BEGAN = "(The business wrote first.)"

# HTTP statuses after which the same request may succeed: timeout, conflict, too early, rate limit.
_TRY_AGAIN = frozenset({408, 409, 425, 429})
_SERVER_ERROR = 500


class LlmEngine:
    """`model` by the library's name ("openai:gpt-5-mini") or one of its model objects; `timeout` in seconds.

    Raises ValueError naming MESSAGING_AGENT_MODEL when the library or the provider's key is missing.
    """

    def __init__(
        self,
        model: str | Model,
        knowledge: KnowledgeBase | None = None,
        *,
        instructions: str = prompt.INSTRUCTIONS,
        timeout: float = 45.0,
    ) -> None:
        self._knowledge = knowledge
        self._instructions = instructions
        self._timeout = timeout
        self._agent = _agent(model)

    async def reply(self, turn: Turn) -> Draft:
        passages = await self._knowledge.search(turn.text) if self._knowledge else []
        built = prompt.build(turn, passages=[_shown(row) for row in passages], instructions=self._instructions)
        result = await self._run(built)
        text = str(result.output).strip()
        if not text:
            raise AgentFailed("the model answered with an empty text", retryable=True)
        used = result.usage
        return Draft(
            text=text,
            sources=tuple(f"{row.source}: {row.heading}" for row in passages),
            usage={"requests": used.requests, "input_tokens": used.input_tokens, "output_tokens": used.output_tokens},
        )

    async def _run(self, built: prompt.Prompt) -> Any:
        """The one place where the library's errors are translated. Their texts may hold content and stay out."""
        from pydantic_ai import UsageLimits, exceptions  # noqa: PLC0415 - an extra

        try:
            async with asyncio.timeout(self._timeout):
                return await self._agent.run(
                    built.user,
                    instructions=built.system,
                    message_history=_messages(built.history),
                    model_settings={"timeout": self._timeout, "max_tokens": _MAX_TOKENS, "max_retries": 0},
                    usage_limits=UsageLimits(request_limit=2, input_tokens_limit=_INPUT_TOKENS),
                )
        except TimeoutError as error:
            raise AgentFailed(f"the model gave no answer within {self._timeout:g} s", retryable=True) from error
        except exceptions.ModelHTTPError as error:
            again = error.status_code in _TRY_AGAIN or error.status_code >= _SERVER_ERROR
            raise AgentFailed(f"the model's provider answered {error.status_code}", retryable=again) from error
        except (exceptions.ContentFilterError, exceptions.UsageLimitExceeded, exceptions.UserError) as error:
            raise AgentFailed(f"the model cannot answer this ({type(error).__name__})", retryable=False) from error
        except exceptions.AgentRunError as error:
            raise AgentFailed(f"the model failed ({type(error).__name__})", retryable=True) from error


def _agent(model: str | Model) -> Any:
    name = model if isinstance(model, str) else type(model).__name__
    try:
        from pydantic_ai import Agent, exceptions  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ValueError(
            f"MESSAGING_AGENT_MODEL={name!r} needs what the extra `llm` installs: "
            "pip install 'pydantic-ai-slim[openai,anthropic]'"
        ) from error
    try:
        return Agent(model, output_type=str, retries=1)
    except (exceptions.UserError, ImportError, ValueError) as error:  # no such provider, its package or key missing
        raise ValueError(f"MESSAGING_AGENT_MODEL={name!r}: {error}") from error


def _messages(history: Sequence[Utterance]) -> list[ModelMessage]:
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
