"""Which ids are one person. An address has its id without asking anybody; that two of them are one person is told here.

A link is made by the provider, when one message carries both a phone number and the provider's own id of the person, or
by a human. It says who made it, when and why, and can be taken back: memories keep the id under which they were
written, and a person is all ids that are linked. Nobody is ever linked by a guess.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

# Fixed for ever, as that of memory items.
_NAMESPACE = uuid.UUID("0c3d0a52-6a1b-5a4e-8a67-1f1b6c1d7e55")

PROVIDER = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two ids of one person. `by` is a name, or "provider"; `ended_at` is None while it holds."""

    one: str
    other: str
    at: datetime
    by: str
    reason: str = ""
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def id(self) -> str:
        """The same for the same two at the same time, whichever comes first: a repeat overwrites itself."""
        pair = "\x1f".join(sorted((self.one, self.other)))
        return str(uuid.uuid5(_NAMESPACE, f"{pair}\x1f{self.at.isoformat()}"))


class ContactBook(Protocol):
    """Keeps links. Every method may raise MemoryUnavailable."""

    async def links(self, contact_ids: Collection[str]) -> list[Link]:
        """All links that touch one of these ids, ended ones too, oldest first."""
        ...

    async def write(self, link: Link) -> None:
        """Add a link, or replace the one of its id."""
        ...

    async def erase(self, contact_ids: Collection[str]) -> int:
        """Remove all links that touch one of these ids; how many there were."""
        ...

    async def close(self) -> None:
        """Release connections. The book is not used afterwards."""
        ...


async def person(book: ContactBook, contact_id: str) -> tuple[str, ...]:
    """All ids of the person behind this one, itself first."""
    known, asked = [contact_id], set[str]()
    while new := [one for one in known if one not in asked]:
        asked.update(new)
        for link in await book.links(new):
            if link.ended_at is None:
                known += [one for one in (link.one, link.other) if one not in known]
    return tuple(known)


async def merge(book: ContactBook, one: str, other: str, *, by: str, reason: str, at: datetime) -> bool:
    """Say that these are one person; whether that is new. Raises ValueError: the same id twice."""
    if one == other:
        raise ValueError("a contact cannot be merged with itself")
    if other in await person(book, one):
        return False
    await book.write(Link(one=one, other=other, at=at, by=by, reason=reason))
    return True


async def unmerge(book: ContactBook, one: str, other: str, *, by: str, at: datetime) -> int:
    """Take back what links these two directly; how many links that were. The links stay on record, as ended."""
    ended = _holding(await book.links([one]), one, other)
    for link in ended:
        await book.write(replace(link, ended_at=at, ended_by=by))
    return len(ended)


def _holding(links: Iterable[Link], one: str, other: str) -> list[Link]:
    return [link for link in links if link.ended_at is None and {link.one, link.other} == {one, other}]


class InMemoryContacts:
    """The twin: links in one dict."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}
        self.unavailable: Exception | None = None

    async def links(self, contact_ids: Collection[str]) -> list[Link]:
        self._check()
        found = [link for link in self._links.values() if link.one in contact_ids or link.other in contact_ids]
        return sorted(found, key=lambda link: link.at)

    async def write(self, link: Link) -> None:
        self._check()
        self._links[link.id] = link

    async def erase(self, contact_ids: Collection[str]) -> int:
        found = await self.links(contact_ids)
        for link in found:
            del self._links[link.id]
        return len(found)

    async def close(self) -> None:
        """Nothing to release."""

    def _check(self) -> None:
        if self.unavailable is not None:
            raise self.unavailable
