"""All that is shown of one conversation, read at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from runtime.directory import ConversationSummary, Directory, NoWorker
from runtime.pulse import Pulse, feel
from workflows.state import MessageRecord, TurnRecord
from workflows.views import ConversationView


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Where no worker answers there is no `view`, and the rest is empty: Temporal alone knows no more."""

    summary: ConversationSummary
    pulse: Pulse
    messages: tuple[MessageRecord, ...] = ()
    turns: tuple[TurnRecord, ...] = ()

    @property
    def view(self) -> ConversationView | None:
        """Where it stands."""
        return self.summary.view

    def turn(self, number: int) -> TurnRecord | None:
        """The record of a turn; of the latest only they are kept."""
        return next((turn for turn in self.turns if turn.number == number), None)


async def read(directory: Directory, conversation_id: str) -> Dossier:
    """Everything of one conversation.

    Raises:
        UnknownConversation, TemporalUnreachable
    """
    # The pulse first: what happens while the rest is read makes the next look differ.
    pulse = await feel(directory.client, conversation_id)
    try:
        summary, messages, turns = await asyncio.gather(
            directory.get(conversation_id), directory.messages(conversation_id), directory.turns(conversation_id)
        )
    except NoWorker:
        return Dossier(summary=await directory.listed(conversation_id), pulse=pulse)
    return Dossier(summary=summary, pulse=pulse, messages=messages, turns=turns)
