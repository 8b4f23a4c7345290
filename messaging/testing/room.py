"""A conversation in memory, with what is in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from messaging.model import (
    Address,
    Conversation,
    ConversationConfig,
    DeliveryStatus,
    EventKind,
    InboundEvent,
    Message,
    Participant,
)

ACCOUNT = "AC" + "0" * 32


@dataclass(slots=True)
class Room:
    """One conversation."""

    conversation: Conversation
    messages: list[Message] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    participants: dict[str, Participant] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def open(cls, sid: str, config: ConversationConfig, now: datetime) -> Self:
        """A new one, as configured."""
        return cls(
            Conversation(
                sid=sid,
                account_sid=ACCOUNT,
                friendly_name=config.friendly_name,
                unique_name=config.unique_name,
                state=config.state,
                date_created=now,
                date_updated=now,
                attributes=config.attributes,
                timers=config.timers,
                messaging_service_sid=config.messaging_service_sid,
            )
        )

    def take(self, message: Message, sid: str, author: str, now: datetime, *, key: str | None = None) -> Message:
        """Keep a message, and wake the readers."""
        kept = replace(
            message,
            sid=sid,
            conversation_sid=self.conversation.sid,
            account_sid=ACCOUNT,
            index=len(self.messages),
            author=author,
            date_created=now,
            date_updated=now,
            delivery_status=DeliveryStatus.QUEUED,
        )
        self.messages.append(kept)
        if key is not None:
            self.keys[sid] = key
        self.announce()
        return kept

    def announce(self) -> None:
        """Wake the readers; each waits on the event of its time."""
        self.changed.set()
        self.changed = asyncio.Event()


def read_event(content: Mapping[str, str], provider: str, now: datetime) -> InboundEvent:
    """The event of a scripted webhook."""
    theirs = Address.parse(content["author"])
    message = Message(
        body=content["body"],
        sid=content["event_key"],
        conversation_sid=content["conversation_sid"],
        channel=theirs.channel,
        sender=theirs,
        author=theirs.raw,
    )
    return InboundEvent(
        provider=provider,
        event_key=content["event_key"],
        kind=EventKind.MESSAGE_ADDED,
        account_sid=ACCOUNT,
        conversation_sid=message.conversation_sid,
        received_at=now,
        message=message,
        theirs=theirs,
    )
