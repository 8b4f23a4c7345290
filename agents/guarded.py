"""Any agent with the guardrails around it."""

from __future__ import annotations

from dataclasses import replace

from agents import secret_marks
from agents.engine import AgentFailed, ReplyEngine
from agents.guardrails import DECLINED, IN, OUT, SECRETS, Guardrails, Verdict
from agents.turn import Draft, Firing, Turn, Utterance


class GuardedEngine:
    """Answers as the engine inside does, where the guardrails let it."""

    def __init__(self, engine: ReplyEngine, guardrails: Guardrails) -> None:
        self._engine = engine
        self._guardrails = guardrails

    async def reply(self, turn: Turn) -> Draft:
        """Raises AgentFailed."""
        turn, refusal, firings = await admitted(turn, self._guardrails)
        draft = refusal or await self._engine.reply(turn)
        return await released(draft, self._guardrails, firings)


async def admitted(turn: Turn, guardrails: Guardrails) -> tuple[Turn, Draft | None, tuple[Firing, ...]]:
    """The turn as the agent may read it, or what is said instead of asking it."""
    verdict = await _look(guardrails, turn.text, IN)
    if verdict.instead:
        kind = "apology" if verdict.instead == DECLINED else "unknown"
        return turn, Draft(text=verdict.instead, kind=kind), verdict.firings
    if SECRETS in guardrails.enabled:
        turn = replace(
            turn,
            text=verdict.text,
            messages=tuple(_without_secrets(row) for row in turn.messages),
            history=tuple(_without_secrets(row) for row in turn.history),
            recalled=tuple(replace(item, text=secret_marks.redacted(item.text)[0]) for item in turn.recalled),
        )
    return turn, None, verdict.firings


async def released(draft: Draft, guardrails: Guardrails, before: tuple[Firing, ...] = ()) -> Draft:
    """The draft as it may leave, with all that fired; its own facts hold no secret either."""
    verdict = await _look(guardrails, draft.text, OUT)
    firings = (*before, *draft.firings, *verdict.firings)
    if verdict.instead:
        # What it cost was spent all the same. Nothing else of it is kept: it rests on what must not leave.
        last = verdict.firings[-1]
        return Draft(
            text=verdict.instead,
            kind="apology",
            usage=draft.usage,
            cost=draft.cost,
            firings=firings,
            handoff=f"{last.check}: {last.reason}",
        )
    facts = draft.facts
    if SECRETS in guardrails.enabled:
        facts = tuple(replace(fact, text=secret_marks.redacted(fact.text)[0]) for fact in facts)
    return replace(draft, text=verdict.text, facts=facts, firings=firings)


async def _look(guardrails: Guardrails, text: str, direction: str) -> Verdict:
    try:
        return await guardrails.look(text, direction)
    except AgentFailed:
        raise
    except Exception as error:
        # Nothing passes unmoderated: the turn is tried again, and in the end apologised for.
        raise AgentFailed(f"the moderation hook failed ({type(error).__name__})", retryable=True) from error


def _without_secrets(utterance: Utterance) -> Utterance:
    return replace(utterance, text=secret_marks.redacted(utterance.text)[0])
