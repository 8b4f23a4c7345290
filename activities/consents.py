"""The record of who has opted out on every channel: changed, and asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from temporalio import activity

from workflows.contact import ConsentActivities, ConsentAnswer, ConsentChange, ConsentQuestion


class Consents(Protocol):
    """Who has opted out, by contact id. What was kept survives every process."""

    async def has_opted_out(self, contact_id: str) -> bool:
        """Whether this person wants no message on any channel."""

    async def opt_out(self, contact_id: str) -> None:
        """Keep that they want none. The same again changes nothing."""

    async def opt_in(self, contact_id: str) -> None:
        """Keep that they may be written to again. The same again changes nothing."""


class ContactConsents(ConsentActivities):
    """A thin border around the record."""

    def __init__(self, consents: Consents) -> None:
        self._consents = consents

    @property
    def activities(self) -> tuple[Callable[..., Any], ...]:
        """What a worker registers."""
        return (self.change_consent, self.ask_consent)

    @activity.defn(name="change_consent")
    async def change_consent(self, change: ConsentChange) -> None:
        """Keep it."""
        if change.opted_out:
            await self._consents.opt_out(change.contact_id)
        else:
            await self._consents.opt_in(change.contact_id)

    @activity.defn(name="ask_consent")
    async def ask_consent(self, question: ConsentQuestion) -> ConsentAnswer:
        """Look it up."""
        return ConsentAnswer(opted_out=await self._consents.has_opted_out(question.contact_id))
