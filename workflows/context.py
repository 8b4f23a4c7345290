"""What the steps of one turn share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from agents.turn import Draft
from workflows import policy
from workflows.contracts import ConversationStart
from workflows.flow import Halt
from workflows.inbox import Inbound
from workflows.outgoing import Scheduled
from workflows.state import ConversationState, Outcome

R = TypeVar("R")


@dataclass(slots=True, kw_only=True)
class TurnContext:
    """What the steps of one turn share. `results` holds each step's result under its name.

    `contact_id` is who wrote, and so whose memory is asked and whom the answer is for: in a group another at each turn.
    `outcome` and `reason` are how the turn ends unless a later step knows better; `committed` is set once the answer
    may have left, and from then on no newer text interrupts the turn. `forbidden` tells at any time why nothing may
    leave, `superseded` whether newer texts want another draft. `guards` says what held the answer up or changed it.
    `variables` are a flow's own, from turn to turn; those of a draft that was dropped are too. `tools` are the names of
    those that the flow declares. `later` is what is to be sent after the turn, `waited` the time that humans took.
    """

    start: ConversationStart
    state: ConversationState
    texts: tuple[Inbound, ...]
    contact_id: str
    attempt: int = 1
    results: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome.ANSWERED
    reason: str = ""
    committed: bool = False
    forbidden: Callable[[], Halt | None] = lambda: None
    superseded: Callable[[], bool] = lambda: False
    guards: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    tools: Collection[str] = ()
    later: list[Scheduled] = field(default_factory=list)
    waited: timedelta = timedelta(0)

    def keep(self, name: str, value: str) -> None:
        """Remember something for later turns, under a name of the flow's own.

        Raises:
            ValueError: too long, or too many.
        """
        if len(value) > policy.VARIABLE_CHARS or len({*self.variables, name}) > policy.VARIABLES:
            raise ValueError(f"a flow keeps at most {policy.VARIABLES} values of {policy.VARIABLE_CHARS} characters")
        self.variables[name] = value

    @property
    def text(self) -> str:
        """The new texts as one."""
        return "\n".join(said(text) for text in self.texts)

    def told(self) -> dict[str, Any]:
        """What the turn's record says of its drafts."""
        draft = self.results.get("reply")
        found = (
            {"sources": draft.sources, "handoff": draft.handoff, "firings": draft.firings}
            if isinstance(draft, Draft)
            else {}
        )
        spending = self.state.spending
        return {**spending.of(self.state.turn), **found}

    def result(self, step: str, kind: type[R]) -> R:
        """A step's result.

        Raises:
            TypeError: the step has not run, or gave something else.
        """
        found = self.results.get(step)
        if not isinstance(found, kind):
            raise TypeError(f"step {step!r} has no result of type {kind.__name__}")
        return found


def said(inbound: Inbound) -> str:
    """A text as the agent reads it; attachments are named, since their bytes stay at the provider."""
    kinds = ", ".join(item.content_type for item in inbound.attachments)
    named = f"[attachment: {kinds}]" if kinds else ""
    return " ".join(part for part in (inbound.text[: policy.MAX_TEXT], named) if part)
