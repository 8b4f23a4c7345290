"""A reply in which each model request and each tool call is an activity of its own.

What is done stays done: a worker that dies between two requests costs the one it was in. It is a workflow of its own,
so that the conversation's history does not grow by every prompt. `docs/agents.md` says what it costs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic_ai.durable_exec.temporal import AgentPlugin, TemporalDurability
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models.instrumented import InstrumentedModel
from pydantic_ai.models.wrapper import WrapperModel
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from agents import citing, llm
from agents.engine import AgentFailed
from agents.guarded import admitted, released
from agents.guardrails import Guardrails
from agents.llm import LlmEngine, LlmOptions
from agents.prompt import Prompt
from agents.turn import Draft, Firing, Turn

WORKFLOW = "AgentReply"

# In the ids of activities: for as long as a reply is open, the name must stay.
_NAME = "agent"

# As the activity of a whole reply, for each request: a provider that is away for minutes is normal.
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=8)
_HEARTBEAT = timedelta(seconds=4)
_SHORT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a reply begins with: the turn as the agent may read it, its prompt, and what guards said.

    `refusal` is what is said instead of asking the model.
    """

    turn: Turn
    prompt: Prompt
    sources: tuple[str, ...] = ()
    firings: tuple[Firing, ...] = ()
    refusal: Draft | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the model wrote, and what fired before."""

    draft: Draft
    firings: tuple[Firing, ...] = ()


class DurableReplies:
    """The workflow of one reply, its activities, and what a worker needs to run them.

    Raises ValueError naming MESSAGING_AGENT_MODEL, as the engine does.
    """

    def __init__(
        self, engine: LlmEngine, guardrails: Guardrails, *, model: Any, options: LlmOptions, cites: bool = True
    ) -> None:
        self._engine = engine
        self._guardrails = guardrails
        self._cites = cites
        attempt = timedelta(seconds=options.limits.timeout)
        durability: TemporalDurability[Turn] = TemporalDurability(
            activity_config={"start_to_close_timeout": attempt, "retry_policy": _RETRY},
            model_activity_config={"heartbeat_timeout": _HEARTBEAT},
        )
        # Each request is a span of its activity; one of the whole reply would be told by each replay.
        watched = _Discreet(InstrumentedModel(model, llm.instrumentation()))
        agent = llm.new_agent(watched, options, name=_NAME, capabilities=[durability])
        self.plugin = AgentPlugin(agent)
        self.workflow = _workflow(agent, options)

    @property
    def activities(self) -> list[Callable[..., Any]]:
        return [self.prepare, self.release]

    @activity.defn(name="agent_prepare")
    async def prepare(self, turn: Turn) -> Prepared:
        """Look at the text, and look up what the model may know. Raises ApplicationError."""
        try:
            turn, refusal, firings = await admitted(turn, self._guardrails)
        except AgentFailed as failed:
            raise _told(failed) from failed
        if refusal:
            return Prepared(turn=turn, prompt=Prompt(system="", history=(), user=""), firings=firings, refusal=refusal)
        built, sources = await self._engine.prepare(turn)
        return Prepared(turn=turn, prompt=built, sources=sources, firings=firings)

    @activity.defn(name="agent_release")
    async def release(self, written: Written) -> Draft:
        """Look at what the model wrote. Raises ApplicationError."""
        draft = citing.with_sections(written.draft) if self._cites else written.draft
        try:
            return await released(draft, self._guardrails, written.firings)
        except AgentFailed as failed:
            raise _told(failed) from failed


class _Discreet(WrapperModel):
    """A model whose errors hold no words: what the provider wrote may repeat the person, and failures are recorded."""

    async def request(self, *given: Any) -> ModelResponse:
        try:
            return await super().request(*given)
        except ModelAPIError as error:
            status = f" ({error.status_code})" if isinstance(error, ModelHTTPError) else ""
            error.body, error.message = None, f"{type(error).__name__}{status}"
            error.args, error.__cause__ = (error.message,), None
            raise


def _workflow(agent: Any, options: LlmOptions) -> type[Any]:
    """The workflow around an agent. Temporal makes its object, so what it needs comes by closure."""

    async def run(_: Any, turn: Turn) -> Draft:
        prepared = await _short("agent_prepare", turn, Prepared)
        draft = prepared.refusal
        if draft is None:
            try:
                with llm.translated():
                    given = llm.arguments(prepared.turn, prepared.prompt, options)
                    result = await agent.run(prepared.prompt.user, **given)
                draft = llm.drafted(result, prepared.sources, options)
            except AgentFailed as failed:
                # Each request has been tried as often as it may.
                raise _told(AgentFailed(failed.reason, retryable=False)) from failed
        released_draft: Draft = await _short("agent_release", Written(draft=draft, firings=prepared.firings), Draft)
        return released_draft

    run.__qualname__ = f"{WORKFLOW}.run"  # Temporal refuses what is defined in a function; this is meant
    defined = type(WORKFLOW, (), {"run": workflow.run(run), "__module__": __name__})
    # Outside the sandbox: the library brings its HTTP stack along, and all that it does with it is in activities.
    # An error that nobody classified ends the reply, and the conversation apologises.
    return workflow.defn(name=WORKFLOW, sandboxed=False, failure_exception_types=[Exception])(defined)


async def _short(name: str, request: Any, result: type[Any]) -> Any:
    """A look-up or a check: it is quick, and spares the server an event batch."""
    return await workflow.execute_local_activity(
        name, request, result_type=result, start_to_close_timeout=_SHORT, retry_policy=_RETRY
    )


def _told(failed: AgentFailed) -> ApplicationError:
    return ApplicationError(failed.reason, type="agent_failed", non_retryable=not failed.retryable)
