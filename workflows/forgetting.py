"""Forgets a person: conversations first, since they could write to memory again, then memory; then it looks again.

Every step may be repeated. What was there is counted before anything is removed, so that the receipt is right although
a worker died in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

from workflows import policy
from workflows.flow import call

FORGET = "ForgetWorkflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetOrder:
    """Whom to forget. `by` is who asked for it. With `provider_copies` the provider deletes its messages too."""

    contact_id: str
    by: str = ""
    provider_copies: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Whose traces to look for: ids of one person, to which those that are linked are added."""

    contact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What there is of a person: all their ids, and how much is under them. Conversations that hold nothing are left
    out."""

    contact_ids: tuple[str, ...]
    memories: int = 0
    links: int = 0
    conversations: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is anything at all."""
        return bool(self.memories or self.links or self.conversations)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedConversation:
    """What was removed of one conversation: messages of its transcript, and runs with their histories, by id."""

    messages: int = 0
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedCopies:
    """Messages that the provider deleted; None where the provider cannot."""

    messages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationErasure:
    """One conversation to forget."""

    conversation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetReceipt:
    """What was removed, counted before and checked to be gone afterwards.

    `provider_messages` is None where that was not asked for, or where a provider cannot.
    """

    contact_ids: tuple[str, ...]
    by: str
    asked_at: datetime
    done_at: datetime
    memories: int = 0
    links: int = 0
    conversations: tuple[str, ...] = ()
    messages: int = 0
    runs: int = 0
    provider_messages: int | None = None


class ForgettingActivities:
    """What removes a person."""

    @activity.defn(name="survey")
    async def survey(self, request: Survey) -> Traces:
        """Count what there is."""
        raise NotImplementedError

    @activity.defn(name="erase_copies")
    async def erase_copies(self, request: ConversationErasure) -> ErasedCopies:
        """Have the provider delete its messages of one conversation."""
        raise NotImplementedError

    @activity.defn(name="erase_conversation")
    async def erase_conversation(self, request: ConversationErasure) -> ErasedConversation:
        """Empty one conversation, and remove the histories that hold what was said in it."""
        raise NotImplementedError

    @activity.defn(name="erase_memory")
    async def erase_memory(self, request: Survey) -> None:
        """Remove all memories, and the links of the ids."""
        raise NotImplementedError


@workflow.defn(name=FORGET)
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
