"""The port through which conversations are remembered and recalled, and what can go wrong there.

MemoryUnavailable   the store cannot be reached or answers badly: retryable, never a reason not to reply
MemoryMismatch      the stored vectors come from another embedder: permanent until someone acts
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from memory.item import MemoryItem, Recalled


class MemoryUnavailable(Exception):
    """The store is away, too slow or broken. `reason` says how, without any content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


FROM_MESSAGES = "it is then filled again from new messages"


class MemoryMismatch(Exception):
    """A collection holds vectors of another model, dimension or schema than ours."""

    def __init__(self, *, collection: str, found: str, expected: str, refilled: str = FROM_MESSAGES) -> None:
        super().__init__(
            f"The collection {collection!r} was written with {found}, but this process uses {expected}. "
            f"Go back to the embedder it was written with (MESSAGING_EMBEDDER), stop the workers and run "
            f"`messaging memory reembed`, or delete the collection: {refilled}."
        )
        self.collection = collection
        self.found = found
        self.expected = expected


class MemoryStore(Protocol):
    """Remembers by contact. Every method may raise MemoryUnavailable or MemoryMismatch."""

    async def remember(self, items: Sequence[MemoryItem]) -> None:
        """Stores all items before it returns. An item whose id is stored already replaces it.

        Of the facts of one contact and key only the latest holds; the others get the time from which they do not.
        """
        ...

    async def recall(
        self,
        query: str,
        *,
        contact_id: str,
        also: Collection[str] = (),
        limit: int = 5,
        exclude: Collection[str] = (),
    ) -> list[Recalled]:
        """At most `limit` memories of this person, best first, none whose source is in `exclude`.

        `also` are further ids of the same person. Superseded facts are left out.
        """
        ...

    async def all_of(self, contact_id: str) -> list[Recalled]:
        """Everything under this id, superseded facts too, oldest first."""
        ...

    async def forget(self, contact_id: str) -> int:
        """Deletes all of this contact, checks that nothing is left, and returns how many there were."""
        ...

    async def close(self) -> None:
        """Releases connections. The store is not used afterwards."""
        ...
