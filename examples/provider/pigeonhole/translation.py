"""The service's words and ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from messaging.model import Address, Channel, Conversation, ConversationState, DeliveryStatus, Message

from pigeonhole.letters import Record

US = "agent"

# The service's documentation is the place for a link here. A word it adds tomorrow is `UNKNOWN`, and no error.
STATES: Mapping[str, ConversationState] = {
    "open": ConversationState.ACTIVE,
    "sealed": ConversationState.CLOSED,
}


def conversation(record: Record) -> Conversation:
    """A conversation of the service."""
    return Conversation(
        sid=record["sid"],
        friendly_name=record["title"],
        unique_name=record["name"],
        state=STATES.get(record["state"], ConversationState.UNKNOWN),
        date_created=datetime.fromisoformat(record["created"]),
        attributes=record["attributes"],
    )


def message(letter: Record, sid: str) -> Message:
    """A letter of a conversation."""
    return Message(
        body=letter["text"],
        sid=letter["sid"],
        conversation_sid=sid,
        channel=Channel.CHAT,
        sender=Address(channel=Channel.CHAT, value=letter["from"]),
        author=letter["from"],
        index=letter["index"],
        date_created=datetime.fromisoformat(letter["posted"]),
        delivery_status=DeliveryStatus.DELIVERED,
    )
