"""The language model's engine, without a language model."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydantic_ai import exceptions
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from agents import prompt
from agents.engine import AgentFailed
from agents.llm import Limits, LlmEngine, LlmOptions, instrumentation
from agents.offline import SAMPLE
from agents.turn import Turn, Utterance
from memory.embedders.hashing import HashingEmbedder
from memory.knowledge import KnowledgeBase
from tests.support.traces import kept_traces

Seen = list[tuple[list[ModelMessage], AgentInfo]]


def engine_that(
    respond: Callable[[], str], seen: Seen | None = None, knowledge: KnowledgeBase | None = None, **options: Any
) -> LlmEngine:
    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if seen is not None:
            seen.append((messages, info))
        return ModelResponse(parts=[TextPart(content=respond())])

    return LlmEngine(FunctionModel(answer), knowledge, LlmOptions(**options))


def engine_that_raises(error: Exception) -> LlmEngine:
    def fail() -> str:
        raise error

    return engine_that(fail)


def spoken(messages: list[ModelMessage]) -> list[tuple[str, str]]:
    return [
        ("user" if isinstance(message, ModelRequest) else "assistant", str(part.content))
        for message in messages
        for part in message.parts
        if isinstance(part, UserPromptPart | TextPart)
    ]


async def test_the_model_is_given_history_and_knowledge_and_its_answer_becomes_the_draft() -> None:
    seen: Seen = []
    engine = engine_that(lambda: " From ten to four. ", seen, knowledge=KnowledgeBase(SAMPLE, HashingEmbedder()))
    history = (Utterance(role="contact", text="Hi"), Utterance(role="agent", text="Hello!"))
    draft = await engine.reply(Turn(text="When are you open on Saturday?", history=history))
    [(messages, info)] = seen
    assert spoken(messages) == [("user", "Hi"), ("assistant", "Hello!"), ("user", "When are you open on Saturday?")]
    assert "10:00 to 16:00" in str(info.instructions)
    assert draft.text == "From ten to four."
    assert draft.usage["requests"] == 1
    assert info.model_settings is not None
    assert info.model_settings["max_retries"] == 0  # Temporal retries


async def test_a_conversation_that_we_began_still_begins_with_the_person() -> None:
    seen: Seen = []
    history = (Utterance(role="operator", text="Your bike is ready."),)
    await engine_that(lambda: "ok", seen).reply(Turn(text="Great", history=history))
    assert [side for side, _ in spoken(seen[0][0])] == ["user", "assistant", "user"]


async def test_own_instructions_replace_ours() -> None:
    seen: Seen = []
    await engine_that(lambda: "ok", seen, instructions="Be a pirate.").reply(Turn(text="hi"))
    assert "Be a pirate." in str(seen[0][1].instructions)
    assert prompt.INSTRUCTIONS not in str(seen[0][1].instructions)


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (exceptions.ModelHTTPError(429, "m", "secret"), True),
        (exceptions.ModelHTTPError(503, "m", "secret"), True),
        (exceptions.ModelHTTPError(400, "m", "secret"), False),
        (exceptions.ModelHTTPError(401, "m", "secret"), False),
        (exceptions.ModelAPIError("m", "secret"), True),
        (exceptions.UnexpectedModelBehavior("secret"), True),
        (exceptions.UsageLimitExceeded("secret"), False),
        (exceptions.ContentFilterError("secret"), False),
        (exceptions.UserError("secret"), False),
    ],
)
async def test_errors_say_whether_trying_again_helps_and_no_content(error: Exception, retryable: bool) -> None:
    with pytest.raises(AgentFailed) as caught:
        await engine_that_raises(error).reply(Turn(text="hi"))
    assert caught.value.retryable is retryable
    assert "secret" not in caught.value.reason


async def test_a_model_that_never_answers_is_given_up_on() -> None:
    async def never(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    with pytest.raises(AgentFailed, match="no answer within") as caught:
        await LlmEngine(FunctionModel(never), None, LlmOptions(limits=Limits(timeout=0.05))).reply(Turn(text="hi"))
    assert caught.value.retryable


async def test_an_empty_answer_is_tried_again() -> None:
    with pytest.raises(AgentFailed) as caught:
        await engine_that(lambda: "  ").reply(Turn(text="hi"))
    assert caught.value.retryable


@pytest.mark.parametrize("model", ["nobody:nothing", "openai:gpt-5-mini", "anthropic:claude-sonnet-4-5", ""])
def test_a_model_that_cannot_be_used_names_the_setting(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    with pytest.raises(ValueError, match="MESSAGING_AGENT_MODEL") as caught:
        LlmEngine(model)
    assert "\n" not in str(caught.value)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)
    with pytest.raises(ValueError, match=r"pydantic-ai-slim\["):
        LlmEngine("openai:gpt-5-mini")


async def test_a_reply_is_a_span_of_the_agent_and_one_of_each_request_without_a_word_of_anybody() -> None:
    engine = engine_that(lambda: "the-answer-is-private")
    with kept_traces() as traces:
        engine._agent.instrument = instrumentation(traces.provider)
        await engine.reply(Turn(text="the-question-is-private", conversation_id="conversation-1"))

        [invoked] = traces.named("invoke_agent assistant")
        [asked] = [span for span in traces.finished if span.name.startswith("chat ")]
        assert traces.parent_of(asked) == invoked.name
        assert invoked.attributes is not None
        assert asked.attributes is not None
        assert (invoked.attributes["gen_ai.operation.name"], invoked.attributes["gen_ai.conversation.id"]) == (
            "invoke_agent",
            "conversation-1",
        )
        assert asked.attributes["gen_ai.operation.name"] == "chat"
        assert {"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"} <= asked.attributes.keys()
        assert "is-private" not in "".join(span.to_json() for span in traces.finished)
