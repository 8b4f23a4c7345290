"""Consent of a person, not of one conversation: where rules say so, a STOP counts on every channel.

What is decided here is told to the contact's record, and the record is asked before each turn. The last look is the
delivery's own, just before it sends.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import policy
from workflows.contracts import ConsentActivities, ConsentAnswer, ConsentChange, ConsentQuestion, ConversationStart
from workflows.flow import call, reason_of
from workflows.policy import ConsentScope
from workflows.state import ConversationState


def is_shared(state: ConversationState) -> bool:
    """Whether the person's consent is that of all their conversations."""
    rules = state.pending[-1].rules if state.pending else state.rules
    return rules.consent is ConsentScope.CONTACT


def has_news(state: ConversationState) -> bool:
    """Whether something was decided here that the contact's record does not know."""
    return is_shared(state) and state.opted_out is not state.consent_known


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
