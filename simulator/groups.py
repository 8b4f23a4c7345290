"""Group MMS: one thread of several phones and our numbers. https://www.twilio.com/docs/conversations/group-texting

A member with a projected address is one of ours in the thread; a member with an address and no proxy is a phone in it.
"""

from collections.abc import Callable

from simulator.clock import Clock
from simulator.records import Conversation, Participant
from simulator.store import Store


class Groups:
    """`activate` is called when the carrier has set a group up, `setup` seconds after it was asked for."""

    def __init__(self, *, clock: Clock, store: Store, setup: float) -> None:
        self._clock = clock
        self._store = store
        self._setup = setup
        self.activate: Callable[[Conversation], None] = lambda _: None

    def provision(self, conversation: Conversation) -> None:
        """From `initializing` to `active` after a while."""
        self._clock.after(self._setup, self._ready, conversation)

    def resume(self) -> None:
        for conversation in self._store.conversations.rows.values():
            if conversation.state == "initializing":
                self.provision(conversation)

    def same(self, addresses: frozenset[str]) -> Conversation | None:
        """The open group that has just these members."""
        for value in addresses:
            for participant in self._store.by_projected.of(value).values():
                conversation = self._open(participant)
                if conversation is not None and self.addresses(conversation) == addresses:
                    return conversation
        return None

    def heard_by(self, person: str, number: str) -> Conversation | None:
        """The newest open group of this phone and our number."""
        for participant in reversed(self._store.by_address.of(person).values()):
            conversation = None if participant.proxy_address else self._open(participant)
            if conversation is not None and number in self.addresses(conversation):
                return conversation
        return None

    def sender(self, conversation: Conversation, author: Participant | None) -> str | None:
        """Our number that a message goes out by: the author's own, else the first in the group."""
        if author is not None and author.projected_address:
            return author.projected_address
        members = self._store.members.of(conversation.sid).values()
        return next((member.projected_address for member in members if member.projected_address), None)

    def addresses(self, conversation: Conversation) -> frozenset[str]:
        members = self._store.members.of(conversation.sid).values()
        found = (member.projected_address or (None if member.proxy_address else member.address) for member in members)
        return frozenset(value for value in found if value)

    def _open(self, participant: Participant) -> Conversation | None:
        conversation = self._store.conversations.get(participant.conversation)
        return conversation if conversation is not None and conversation.state != "closed" else None

    def _ready(self, conversation: Conversation) -> None:
        if conversation.state == "initializing" and conversation.sid in self._store.conversations.rows:
            self.activate(conversation)
