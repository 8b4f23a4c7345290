"""Forgets a person: conversations first, since they could write to memory again, then memory; then it looks again.

Every step may be repeated. What was there is counted before anything is removed, so that the receipt is right although
a worker died in between.
"""

from __future__ import annotations

from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows import contracts, policy
from workflows.contracts import (
    ConversationErasure,
    ErasedConversation,
    ErasedCopies,
    ForgetOrder,
    ForgetReceipt,
    ForgettingActivities,
    Survey,
    Traces,
)
from workflows.flow import call


@workflow.defn(name=contracts.FORGET)
class ForgetWorkflow:
    """One order, one receipt."""

    @workflow.init
    def __init__(self, order: ForgetOrder) -> None:
        now, self._runs = workflow.now(), set[str]()
        self._receipt = ForgetReceipt(contact_ids=(order.contact_id,), by=order.by, asked_at=now, done_at=now)

    @workflow.run
    async def run(self, order: ForgetOrder) -> ForgetReceipt:
        """The receipt, when nothing is left. Raises ApplicationError if the person writes faster than this forgets."""
        for pause in policy.FORGET_PAUSES:
            request = Survey(contact_ids=self._receipt.contact_ids)
            found: Traces = await call(policy.SURVEY, ForgettingActivities.survey, request)
            if not found.any:
                return self._signed(found)
            await self._erase(order, found)
            await workflow.sleep(pause, summary="until it is gone")
        raise ApplicationError("something is left; is the person writing?", type="not_forgotten")

    async def _erase(self, order: ForgetOrder, found: Traces) -> None:
        copies, messages = self._receipt.provider_messages, self._receipt.messages
        for conversation_id in found.conversations:
            one = ConversationErasure(conversation_id=conversation_id)
            if order.provider_copies and conversation_id not in self._receipt.conversations:
                gone: ErasedCopies = await call(policy.ERASE, ForgettingActivities.erase_copies, one)
                copies = (copies or 0) + gone.messages if gone.messages is not None else copies
            erased: ErasedConversation = await call(policy.ERASE, ForgettingActivities.erase_conversation, one)
            if not self._runs.issuperset(erased.runs):  # deleted runs are found again until the server is done
                messages += erased.messages
            self._runs.update(erased.runs)
        await call(policy.ERASE, ForgettingActivities.erase_memory, Survey(contact_ids=found.contact_ids))
        before = self._receipt
        self._receipt = replace(
            before,
            contact_ids=found.contact_ids,
            memories=before.memories + found.memories,
            links=before.links + found.links,
            conversations=tuple(dict.fromkeys((*before.conversations, *found.conversations))),
            messages=messages,
            runs=len(self._runs),
            provider_messages=copies,
        )

    def _signed(self, found: Traces) -> ForgetReceipt:
        ids = tuple(dict.fromkeys((*self._receipt.contact_ids, *found.contact_ids)))
        return replace(self._receipt, contact_ids=ids, done_at=workflow.now())
