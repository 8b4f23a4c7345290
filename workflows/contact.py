"""Consent of a person, not of one conversation: where rules say so, a STOP counts on every channel.

What is decided here is told to the contact's record, and the record is asked before each turn. The last look is the
delivery's own, just before it sends.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity, workflow
from temporalio.exceptions import ActivityError

from workflows import policy
from workflows.contracts import ConversationStart
from workflows.flow import call, reason_of
from workflows.policy import ConsentScope
from workflows.state import ConversationState


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """A person opts out, or in, on every channel."""

    contact_id: str
    opted_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentQuestion:
    """Whether this person has opted out on any channel."""

    contact_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAnswer:
    """What the contact's record says."""

    opted_out: bool


class ConsentActivities:
    """The record of who has opted out on every channel."""

    @activity.defn(name="change_consent")
    async def change_consent(self, change: ConsentChange) -> None:
        """Keep it. The same again changes nothing."""
        raise NotImplementedError

    @activity.defn(name="ask_consent")
    async def ask_consent(self, question: ConsentQuestion) -> ConsentAnswer:
        """Look it up."""
        raise NotImplementedError


def is_shared(state: ConversationState) -> bool:
    """Whether the person's consent is that of all their conversations."""
    rules = state.pending[-1].rules if state.pending else state.rules
    return rules.consent is ConsentScope.CONTACT


def has_news(state: ConversationState) -> bool:
    """Whether something was decided here that the contact's record does not know."""
    return is_shared(state) and state.opted_out is not state.consent_known


async def opt_out(contact_id: str) -> None:
    """Tell the record of one person who left a conversation of several, for as long as that needs."""
    change = ConsentChange(contact_id=contact_id, opted_out=True)
    await call(policy.CONSENT, ConsentActivities.change_consent, change, summary="opt-out")


async def tell(start: ConversationStart, state: ConversationState) -> None:
    """Tell the record what was decided here, for as long as that needs."""
    while has_news(state):
        opted_out = state.opted_out
        await call(
            policy.CONSENT,
            ConsentActivities.change_consent,
            ConsentChange(contact_id=start.contact_id, opted_out=opted_out),
            summary="opt-out" if opted_out else "opt-in",
        )
        state.consent_known = opted_out


async def ask(start: ConversationStart, state: ConversationState) -> None:
    """Learn what was decided in another conversation of this person."""
    if not is_shared(state) or has_news(state):
        return
    try:
        answer: ConsentAnswer = await call(
            policy.ASK_CONSENT, ConsentActivities.ask_consent, ConsentQuestion(contact_id=start.contact_id)
        )
    except ActivityError as error:
        why = reason_of(error)
        workflow.logger.warning(
            f"a person's consent could not be asked; the delivery asks again before it sends: {why}"
        )
        return
    state.opted_out = state.consent_known = answer.opted_out
