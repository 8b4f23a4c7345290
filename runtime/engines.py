"""The agent of a deployment, as its settings say, with the guardrails around it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdrant_client import AsyncQdrantClient

from agents import prompt
from agents.citing import CitingEngine
from agents.engine import ReplyEngine
from agents.guarded import GuardedEngine
from agents.guardrails import Guardrails, load_moderator
from agents.loading import load_agent
from agents.observed import ObservedEngine
from agents.offline import SAMPLE, OfflineEngine
from agents.tools import ToolPolicy, load_tools
from memory.embedder import Embedder
from memory.knowledge import Folder, Knowledge, KnowledgeBase
from memory.shelf import Shelf, ShelvedKnowledge
from runtime.settings import Settings
from workflows.policy import Durability

if TYPE_CHECKING:
    from agents.durable import DurableReplies


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    """Who answers: an engine, and where the settings ask for it, the workflow of a reply in several activities."""

    engine: ReplyEngine
    durable: DurableReplies | None = None


async def open_agents(settings: Settings, embedder: Embedder, client: AsyncQdrantClient) -> Agents:
    """The user's own agent, an LLM, or the offline engine. Qdrant may be away.

    Raises:
        ValueError: a setting that cannot be used, by its name.
        MemoryMismatch: the knowledge was written by another embedder.
    """
    guards = guardrails(settings)
    if settings.messaging_agent:
        own = ObservedEngine(load_agent(settings.messaging_agent), name=settings.messaging_agent, system="own")
        return Agents(engine=GuardedEngine(own, guards))
    knowledge = ShelvedKnowledge(
        Shelf(client=client, embedder=embedder, tenant=settings.messaging_tenant),
        Folder(settings.messaging_knowledge) if settings.messaging_knowledge else None,
        otherwise=None if settings.messaging_knowledge else KnowledgeBase(SAMPLE, embedder),
    )
    await knowledge.prepare()
    if settings.messaging_agent_model:
        return _llm(settings, settings.messaging_agent_model, knowledge, guards)
    offline = OfflineEngine(knowledge, embedder, threshold=settings.messaging_agent_threshold)
    observed = ObservedEngine(offline, name="offline", system="offline")
    return Agents(engine=GuardedEngine(_citing(settings, observed), guards))


def guardrails(settings: Settings) -> Guardrails:
    """The checks that are switched on. Raises ValueError naming MESSAGING_MODERATION."""
    hook = settings.messaging_moderation
    is_model = settings.messaging_agent_model is not None
    return Guardrails(
        enabled=settings.messaging_guardrails,
        input_chars=settings.messaging_guard_input_chars,
        output_chars=settings.messaging_guard_output_chars,
        languages=settings.messaging_guard_languages,
        hosts=settings.messaging_guard_links,
        canary=_canary(settings) if is_model else "",
        instructions=prompt.INSTRUCTIONS if is_model else "",
        moderator=load_moderator(hook) if hook else None,
    )


def _citing(settings: Settings, engine: ReplyEngine) -> ReplyEngine:
    return CitingEngine(engine) if settings.messaging_agent_cites else engine


def _llm(settings: Settings, model: str, knowledge: Knowledge, guards: Guardrails) -> Agents:
    from agents.llm import Limits, LlmEngine, LlmOptions  # noqa: PLC0415 - the extra `llm` is only needed here

    options = LlmOptions(
        instructions=prompt.marked(prompt.INSTRUCTIONS, _canary(settings)),
        tools=load_tools(settings.messaging_tools) if settings.messaging_tools else (),
        policy=ToolPolicy(allowed=settings.messaging_tool_places, tenant=settings.messaging_tenant),
        limits=Limits(
            requests=settings.messaging_agent_requests,
            tokens=settings.messaging_agent_tokens,
            timeout=settings.messaging_agent_timeout,
        ),
        prices=settings.messaging_agent_prices,
    )
    engine = LlmEngine(model, knowledge, options)
    guarded = GuardedEngine(_citing(settings, engine), guards)
    if settings.messaging_agent_durability is Durability.REPLY:
        return Agents(engine=guarded)
    from agents.durable import DurableReplies  # noqa: PLC0415 - as above

    durable = DurableReplies(engine, guards, model=model, options=options, cites=settings.messaging_agent_cites)
    return Agents(engine=guarded, durable=durable)


def _canary(settings: Settings) -> str:
    """The same in all workers of a deployment, and to be guessed by nobody."""
    key = settings.messaging_id_key.get_secret_value().encode() if settings.messaging_id_key else _OF_THIS_PROCESS
    return hashlib.blake2b(b"the mark of the rules", key=key[:64], digest_size=9).hexdigest()


# Where no key is set there is one process, which makes prompts and looks at replies.
_OF_THIS_PROCESS = secrets.token_bytes(32)
