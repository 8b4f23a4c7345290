"""Finds and removes what there is of a person. Each activity may run again, and then finds less to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any, Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import failures
from activities.heartbeat import beating
from memory import contacts
from memory.contacts import ContactBook
from memory.store import MemoryMismatch, MemoryStore, MemoryUnavailable
from messaging.backend import ConversationalBackend
from messaging.errors import MessagingError
from workflows.contracts import Route
from workflows.forgetting import (
    ConversationErasure,
    ErasedConversation,
    ErasedCopies,
    ForgettingActivities,
    Survey,
    Traces,
)


class Conversations(Protocol):
    """The conversations there are, open and closed."""

    async def holding(self, contact_ids: Collection[str]) -> tuple[str, ...]:
        """The ids of those of this person that hold something that was said."""

    async def route(self, conversation_id: str) -> Route | None:
        """Where its messages went; None where nothing is known of it any more."""

    async def erase(self, conversation_id: str) -> ErasedConversation:
        """Empty it, and remove its histories. An open one stays open."""


class ErasingBackend(Protocol):
    """A provider that can delete what it keeps."""

    def erase_messages(self, conversation_sid: str) -> AsyncIterator[str]:
        """Deletes one message after the other; the sid of each. Raises MessagingError."""


class Forgetting(ForgettingActivities):
    """Works on memory, conversations and providers. A provider without `erase_messages` keeps its copies."""

    def __init__(
        self,
        store: MemoryStore,
        book: ContactBook,
        conversations: Conversations,
        backends: Mapping[str, ConversationalBackend],
    ) -> None:
        self._store = store
        self._book = book
        self._conversations = conversations
        self._backends = backends

    @property
    def activities(self) -> tuple[Callable[..., Any], ...]:
        """All of them, for a worker."""
        return self.survey, self.erase_copies, self.erase_conversation, self.erase_memory

    @activity.defn(name="survey")
    async def survey(self, request: Survey) -> Traces:
        """All ids of the person, and what is under each. Raises ApplicationError."""
        try:
            ids = list(request.contact_ids)
            for one in request.contact_ids:
                ids += [found for found in await contacts.person(self._book, one) if found not in ids]
            memories = sum([len(await self._store.all_of(one)) for one in ids])
            links = len(await self._book.links(ids))
        except (MemoryUnavailable, MemoryMismatch) as error:
            raise failures.of_memory(error) from error
        holding = await self._conversations.holding(ids)
        return Traces(contact_ids=tuple(ids), memories=memories, links=links, conversations=holding)

    @activity.defn(name="erase_copies")
    async def erase_copies(self, request: ConversationErasure) -> ErasedCopies:
        """Count on from the attempt before. Raises ApplicationError."""
        route = await self._conversations.route(request.conversation_id)
        backend = self._backends.get(route.provider) if route else None
        erase = getattr(getattr(backend, "wrapped", backend), "erase_messages", None)
        if route is None or backend is None or erase is None:
            return ErasedCopies(messages=None if route else 0)
        count = next(iter(activity.info().heartbeat_details), 0)
        try:
            async for _ in erase(route.conversation_sid):
                count += 1
                activity.heartbeat(count)
        except MessagingError as error:
            # Whatever it is, a message that is still on its way or a wrong token: the order stands until it is done.
            raise ApplicationError(error.message, type=error.code.value) from error
        return ErasedCopies(messages=count)

    @activity.defn(name="erase_conversation")
    async def erase_conversation(self, request: ConversationErasure) -> ErasedConversation:
        """Wait for its turn to end, then empty it."""
        async with beating():
            return await self._conversations.erase(request.conversation_id)

    @activity.defn(name="erase_memory")
    async def erase_memory(self, request: Survey) -> None:
        """Memories first: the links tell whose they are. Raises ApplicationError."""
        async with beating():
            try:
                for one in request.contact_ids:
                    await self._store.forget(one)
                await self._book.erase(request.contact_ids)
            except (MemoryUnavailable, MemoryMismatch) as error:
                raise failures.of_memory(error) from error
