"""Who is behind an address: your own id of the person, where `MESSAGING_CONTACT_RESOLVER` gives one."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agents import importing
from messaging.model import Address
from workflows import ids

SETTING = "MESSAGING_CONTACT_RESOLVER"
_ALLOWED = (
    "a function, async or not, of a messaging.model.Address, that gives your own id of the person as a str, "
    "or None for the id that the address has by itself"
)

Resolver = Callable[[Address], "str | Awaitable[str | None] | None"]


class Unresolved(ValueError):
    """The resolver failed, or gave what is no id. A person under two ids would be two: it is asked again instead."""


@dataclass(frozen=True, slots=True)
class Identities:
    """`key` hides what ids are made of: addresses, and the ids that a resolver gives."""

    key: bytes
    resolver: Resolver | None = None

    async def contact_id(self, address: Address) -> str:
        """The person's id. Raises Unresolved."""
        return (await self.ids(address))[0]

    async def ids(self, address: Address) -> tuple[str, tuple[str, ...]]:
        """The person's id, and others that the address itself tells. Raises Unresolved."""
        if self.resolver is not None and (own := await _resolved(self.resolver, address)):
            return ids.own_id(self.key, own), ()  # a resolver has the last word on who is who
        return ids.contact_id(self.key, address), ids.further_ids(self.key, address)


def load_resolver(path: str | None) -> Resolver | None:
    """The function that `path` ("module:name") names.

    Raises:
        ValueError: it cannot be used; names the setting and what is allowed.
    """
    if path is None:
        return None
    module_name, name = importing.split(path, setting=SETTING, example="people:resolve")
    module = importing.module_of(module_name, path, setting=SETTING)
    found = importing.attribute(module, name, path, setting=SETTING, allowed=_ALLOWED)
    try:
        inspect.signature(found).bind(None)
    except (TypeError, ValueError):
        raise ValueError(f"{SETTING}={path!r} is {type(found).__name__}, but must be {_ALLOWED}") from None
    if inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found) or inspect.isclass(found):
        raise ValueError(f"{SETTING}={path!r} is a generator or a class, but must be {_ALLOWED}")
    resolver: Resolver = found
    return resolver


async def _resolved(resolver: Resolver, address: Address) -> str | None:
    try:
        # A plain function may look something up, which must not keep everybody else waiting.
        given = (
            resolver(address) if inspect.iscoroutinefunction(resolver) else await asyncio.to_thread(resolver, address)
        )
        found = await given if inspect.isawaitable(given) else given
    except Exception as error:  # whatever it is, it is the user's
        raise Unresolved(f"{SETTING} raised {type(error).__name__}") from error
    if found is not None and not (isinstance(found, str) and found.strip()):
        raise Unresolved(f"{SETTING} gave {type(found).__name__}, or nothing but spaces; it must be {_ALLOWED}")
    return found
