"""What a list of conversations can be filtered by: Temporal's search attributes. No address, no text.

Setting them at a run's start costs nothing; each change later costs an Action and an event, so only what an operator
acts on is kept up to date: the state and who has the conversation. The last activity goes along with those.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from workflows import trouble
from workflows.handoff import is_held
from workflows.state import Verdict

if TYPE_CHECKING:
    from workflows.contracts import ConversationStart
    from workflows.state import ConversationState

CHANNEL = SearchAttributeKey.for_keyword("MessagingChannel")
CONTACT = SearchAttributeKey.for_keyword("MessagingContact")
STATE = SearchAttributeKey.for_keyword("MessagingState")
ASSIGNEE = SearchAttributeKey.for_keyword("MessagingAssignee")
TROUBLE = SearchAttributeKey.for_keyword_list("MessagingTrouble")
ACTIVITY = SearchAttributeKey.for_datetime("MessagingActivity")
PARKED = SearchAttributeKey.for_int("MessagingParked")

# How a server names the types of ours: https://docs.temporal.io/search-attribute
TYPES = {
    **dict.fromkeys((CHANNEL.name, CONTACT.name, STATE.name, ASSIGNEE.name), "Keyword"),
    TROUBLE.name: "KeywordList",
    ACTIVITY.name: "Datetime",
    PARKED.name: "Int",
}

# The most bytes of a keyword that PostgreSQL's visibility takes, in characters of four bytes each.
_LONGEST = 60


class Standing(StrEnum):
    """What a list says of an open conversation."""

    ACTIVE = "active"
    HELD = "held"
    """The agent is silent: a human has it, or is waited for."""
    WAITING = "waiting"
    """A step's question waits for a human's decision."""


def standing(state: ConversationState) -> Standing:
    """What is to be done about it."""
    if any(question.verdict is Verdict.PENDING for question in state.approvals):
        return Standing.WAITING
    return Standing.HELD if is_held(state) else Standing.ACTIVE


def shown(start: ConversationStart, state: ConversationState) -> str:
    """What is worth an update: it changes when the list must."""
    parked = [f"{len(state.parked)} parked"] if state.parked else []
    return " ".join([standing(state).value, state.assignee or "", *parked, *_troubles(start, state)])


def _troubles(start: ConversationStart, state: ConversationState) -> list[str]:
    return [found.value for found in trouble.of(state)] if start.troubles else []


def attributes(start: ConversationStart, state: ConversationState | None, now: datetime) -> TypedSearchAttributes:
    """All of them. Without a state it is a conversation's first moment."""
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(CHANNEL, start.channel),
        SearchAttributePair(CONTACT, start.contact_id),
        SearchAttributePair(STATE, (standing(state) if state else Standing.ACTIVE).value),
        SearchAttributePair(ACTIVITY, now),
    ]
    if start.counts_parked:
        pairs.append(SearchAttributePair(PARKED, len(state.parked) if state else 0))
    if state is not None and state.assignee:
        pairs.append(SearchAttributePair(ASSIGNEE, state.assignee[:_LONGEST]))
    if state is not None and (troubles := _troubles(start, state)):
        pairs.append(SearchAttributePair(TROUBLE, troubles))
    return TypedSearchAttributes(pairs)


def is_news(start: ConversationStart, state: ConversationState) -> bool:
    """Whether the list shows something else than what is so."""
    return start.indexed and shown(start, state) != state.shown


def show(start: ConversationStart, state: ConversationState) -> None:
    """Bring the list up to date, in one command, if it is not."""
    if is_news(start, state):
        state.shown = shown(start, state)
        who = ASSIGNEE.value_set(state.assignee[:_LONGEST]) if state.assignee else ASSIGNEE.value_unset()
        now = ACTIVITY.value_set(workflow.now())
        updates: list[SearchAttributeUpdate[Any]] = [STATE.value_set(standing(state).value), who, now]
        if start.counts_parked:
            updates.append(PARKED.value_set(len(state.parked)))
        if start.troubles:
            troubles = _troubles(start, state)
            updates.append(TROUBLE.value_set(troubles) if troubles else TROUBLE.value_unset())
        workflow.upsert_search_attributes(updates)
