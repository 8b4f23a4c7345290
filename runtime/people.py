"""People: found by an id or an address, shown, merged and forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from memory import contacts
from memory.contacts import ContactBook
from memory.item import FACT
from memory.store import MemoryStore
from messaging.model import Address
from runtime import forgotten, temporal
from runtime.embedding import close, load_embedder
from runtime.identity import Identities, Unresolved, load_resolver
from runtime.remembering import contact_book, memory_store
from runtime.settings import Settings
from workflows.forgetting import ForgetOrder, ForgetReceipt, ForgetWorkflow

# Seconds for Qdrant: nobody's answer waits for an operator's question.
PATIENCE = 30.0


class UnknownContact(ValueError):
    """Nothing is known of this contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Memory and contact book straight; forgetting by a workflow."""

    settings: Settings
    store: MemoryStore
    book: ContactBook

    async def contact_id(self, who: str) -> str:
        """A contact's id as it is; an address as texts from it are told apart.

        Raises:
            ValueError: neither, or nobody can tell whose address it is.
        """
        if who.startswith("contact-"):
            return who
        address = Address.parse(who)
        if not address.value or (address.phone is None and ":" not in who):
            raise ValueError("WHO: must be a contact's id (contact-...) or an address (+15550100001, messenger:id)")
        identities = Identities(self.settings.id_key(), load_resolver(self.settings.messaging_contact_resolver))
        try:
            return await identities.contact_id(address)
        except Unresolved as error:
            raise ValueError(str(error)) from error

    async def show(self, who: str) -> dict[str, Any]:
        """What is known, without the messages.

        Raises:
            UnknownContact, MemoryUnavailable, MemoryMismatch
        """
        everybody = await contacts.person(self.book, await self.contact_id(who))
        found = [item for one in everybody for item in await self.store.all_of(one)]
        links = await self.book.links(everybody)
        if not found and not links:
            raise UnknownContact("nothing is known of this contact")
        facts = [item for item in found if item.kind == FACT and item.invalid_at is None]
        times = sorted(item.at for item in found)
        return {
            "contact_ids": list(everybody),
            "memories": len(found),
            "channels": dict(Counter(item.channel for item in found)),
            "conversations": sorted({item.conversation_id for item in found}),
            "first_at": times[0] if times else None,
            "last_at": times[-1] if times else None,
            "facts": [
                {
                    "text": fact.text,
                    "about": fact.key,
                    "at": fact.at,
                    "channel": fact.channel,
                    "conversation_id": fact.conversation_id,
                    "turn": fact.turn,
                    "source": fact.source,
                }
                for fact in sorted(facts, key=lambda fact: fact.at)
            ],
            "links": [asdict(link) for link in links],
        }

    async def merge(self, who: str, other: str, *, by: str, reason: str) -> dict[str, Any]:
        """Two contacts are one person. Raises ValueError: the same one twice; MemoryUnavailable."""
        one = await self.contact_id(who)
        merged = await contacts.merge(
            self.book, one, await self.contact_id(other), by=by, reason=reason, at=datetime.now(UTC)
        )
        return {"merged": merged, "contact_ids": list(await contacts.person(self.book, one))}

    async def unmerge(self, who: str, other: str, *, by: str) -> dict[str, Any]:
        """They are two again. Raises ValueError: nobody had merged these two; MemoryUnavailable."""
        one, second = await self.contact_id(who), await self.contact_id(other)
        if not await contacts.unmerge(self.book, one, second, by=by, at=datetime.now(UTC)):
            raise ValueError("these two are not merged with each other; `messaging contacts show` tells who is")
        return {"contact_ids": list(await contacts.person(self.book, one)), "other": second}

    async def forget(self, who: str, *, by: str, provider_copies: bool | None = None) -> ForgetReceipt:
        """Wait for the receipt. An order that is being carried out already is waited for.

        Raises:
            RuntimeError: Temporal is away.
        """
        client: Client = await temporal.connect(sealing=self.settings.sealing())
        contact_id = await self.contact_id(who)
        copies = self.settings.messaging_forget_provider_copies if provider_copies is None else provider_copies
        order = ForgetOrder(contact_id=contact_id, by=by, provider_copies=copies)
        handle = await client.start_workflow(
            ForgetWorkflow.run,
            order,
            id=f"{forgotten.FORGETTING}{contact_id}",
            task_queue=self.settings.temporal_task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="forget a person",
        )
        receipt: ForgetReceipt = await handle.result()
        return receipt


@asynccontextmanager
async def open_people(settings: Settings) -> AsyncIterator[People]:
    """Unconnected until it is used. The embedder is only named: nothing is embedded here."""
    async with AsyncExitStack() as stack:
        embedder = load_embedder(settings.messaging_embedder)
        stack.callback(close, embedder)
        store = memory_store(settings, embedder, timeout=PATIENCE)
        book = contact_book(settings, timeout=PATIENCE)
        stack.push_async_callback(store.close)
        stack.push_async_callback(book.close)
        yield People(settings=settings, store=store, book=book)
