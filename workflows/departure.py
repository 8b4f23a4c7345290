"""One of several people wants no more: they leave, and the conversation goes on with the others.

What is sent into a conversation reaches everybody in it. So nothing leaves while somebody who stopped is still there;
and where they are the only one, or cannot be taken out, it stops for all.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import contact, guard, policy
from workflows.alert import AlertKind
from workflows.contracts import ConversationStart
from workflows.errands import ErrandActivities, Leave, Left
from workflows.failure import Remedy, remedy
from workflows.flow import call, reason_of
from workflows.inbox import DeliveryUpdate, Inbound
from workflows.state import ConversationState, Outcome

_REASON = "left the conversation"


class Departures:
    """Takes out who stopped, by a word or at the carrier."""

    def __init__(self, start: ConversationStart, state: ConversationState) -> None:
        self._start = start
        self._state = state
        self._staying = set[str]()

    def are_due(self) -> bool:
        """Whether somebody is to leave, if others are there."""
        return bool(self._state.refusals) or self._stop() is not None

    def is_anothers(self, author: str | None) -> bool:
        """Whether somebody else than this one is to leave."""
        stop = self._stop()
        return stop is not None and author is not None and stop.author != author

    async def work(self) -> None:
        """Take them out, one after the other. What they wrote and nobody has answered is not answered any more."""
        state = self._state
        while (stop := self._stop()) is not None:
            if await self._leaves(stop.participant):
                await self._part_with(stop)
            else:
                self._staying.add(stop.key)  # a turn takes it, as any STOP
        while state.refusals:
            update = state.refusals.pop(0)
            if not await self._leaves(update.participant):
                state.merge(update)

    def _stop(self) -> Inbound | None:
        state = self._state
        others = (t for t in state.pending if t.participant and t.key not in self._staying)
        return next((t for t in others if not state.has_seen(t.key) and guard.is_stop(self._start, state, t)), None)

    async def _leaves(self, participant: str) -> bool:
        route = self._start.route
        order = Leave(provider=route.provider, conversation_sid=route.conversation_sid, participant=participant)
        try:
            left: Left = await call(policy.LEAVE, ErrandActivities.leave, order, summary="leaves the conversation")
        except ActivityError as error:
            reason = f"who stopped could not be taken out, so it stops for all: {reason_of(error)}"
            self._state.alert(AlertKind.PARKED, workflow.now(), reason)
            return False
        return left.others

    async def _part_with(self, stop: Inbound) -> None:
        state = self._state
        theirs = [text for text in state.pending if text.participant == stop.participant]
        state.pending = [text for text in state.pending if text not in theirs]
        for text in theirs:
            if state.accept(text.key):
                state.received(text, status=Outcome.OPTED_OUT.value, reason=_REASON)
                state.settle_turn([text.key], Outcome.OPTED_OUT, _REASON)
        if contact.is_shared(state):
            await contact.opt_out(stop.author)


def is_refusal(update: DeliveryUpdate) -> bool:
    """Whether one of several people is reported to want no more messages."""
    return bool(update.participant) and remedy(update.failure, update.error_code) is Remedy.OPT_OUT
