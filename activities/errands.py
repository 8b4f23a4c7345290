"""Opens conversations at providers, and lets people in and out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import failures
from messaging.backend import ConversationalBackend, ListsParticipants
from messaging.errors import MessagingError, ParticipantNotFound, UnsupportedProvider
from messaging.model import Address, Binding, ConversationConfig, Participant
from workflows.errands import Attendance, Attended, Attendee, ErrandActivities, Leave, Left, Opened, Opening


class Errands(ErrandActivities):
    """Each may run again: a unique name, or a participant's address, makes the repeat harmless."""

    def __init__(self, backends: Mapping[str, ConversationalBackend]) -> None:
        self._backends = backends

    @property
    def activities(self) -> tuple[Callable[..., Any], ...]:
        """All of them, for a worker."""
        return (self.open, self.attend, self.leave)

    @activity.defn(name="open")
    async def open(self, order: Opening) -> Opened:
        """The conversation, with the person in it where the provider knows participants. Raises ApplicationError."""
        backend = self._backend(order.provider)
        # Where a conversation is a pair of addresses, the pair is all there is to create.
        pair = {} if backend.capabilities.conversations else {"to": order.to}
        if pair and order.sender:
            pair["from"] = order.sender
        try:
            made = await backend.create_conversation(
                ConversationConfig(friendly_name=order.friendly_name, unique_name=order.unique_name, attributes=pair)
            )
            if backend.capabilities.participants:
                await backend.add_participant(made.sid, _reached(order.to, order.sender))
        except MessagingError as error:
            raise _failure(error, backend) from error
        return Opened(conversation_sid=made.sid, asked=order)

    @activity.defn(name="attend")
    async def attend(self, order: Attendance) -> Attended:
        """Who came or went. Raises ApplicationError."""
        backend = self._backend(order.provider)
        try:
            if order.leaves:
                await self._leave(backend, order)
                return Attended(asked=order, people=(Attendee(sid=order.leaves),))
            if not (order.identity or order.address):
                return Attended(asked=order, people=await _present(backend, order.conversation_sid))
            wanted = (
                Participant(identity=order.identity) if order.identity else _reached(order.address, order.proxy_address)
            )
            there = await backend.add_participant(order.conversation_sid, wanted)
        except MessagingError as error:
            raise _failure(error, backend) from error
        return Attended(asked=order, people=(_attendee(there),))

    @activity.defn(name="leave")
    async def leave(self, order: Leave) -> Left:
        """Whether others, who are reached by an address, are still there. Raises ApplicationError."""
        backend = self._backend(order.provider)
        try:
            people = await _present(backend, order.conversation_sid)
            # Who is there by an identity of ours alone may be a colleague: who stopped is not alone with them.
            others = any(person.address for person in people if person.sid != order.participant)
            if others and any(person.sid == order.participant for person in people):
                with contextlib.suppress(ParticipantNotFound):  # they left by themselves
                    await backend.remove_participant(order.conversation_sid, order.participant)
        except UnsupportedProvider:
            return Left(others=False)
        except MessagingError as error:
            raise _failure(error, backend) from error
        return Left(others=others)

    @staticmethod
    async def _leave(backend: ConversationalBackend, order: Attendance) -> None:
        try:
            await backend.remove_participant(order.conversation_sid, order.leaves)
        except ParticipantNotFound:
            if activity.info().attempt == 1:
                raise  # after that, it may be our own doing

    def _backend(self, name: str) -> ConversationalBackend:
        try:
            return self._backends[name]
        except KeyError:
            raise failures.not_configured(name, ", ".join(sorted(self._backends))) from None


def _reached(address: str, proxy: str) -> Participant:
    theirs = Address.parse(address)
    ours = Address.parse(proxy) if proxy else None
    return Participant(binding=Binding(type=theirs.channel, address=theirs, proxy_address=ours))


async def _present(backend: ConversationalBackend, sid: str) -> tuple[Attendee, ...]:
    if not isinstance(backend, ListsParticipants):
        raise UnsupportedProvider("who is in a conversation is not told", provider=backend.name)
    return tuple(_attendee(participant) for participant in await backend.list_participants(sid))


def _attendee(participant: Participant) -> Attendee:
    address = participant.binding.address if participant.binding else None
    return Attendee(sid=participant.sid, identity=participant.identity or "", address=address.raw if address else "")


def _failure(error: MessagingError, backend: ConversationalBackend) -> ApplicationError:
    return failures.of_provider(error, backend.get_config(), attempt=activity.info().attempt)
