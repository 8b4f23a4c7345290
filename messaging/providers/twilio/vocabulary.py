"""Twilio's words and ours, as tables. A word that is in none becomes `unknown`; the raw form stays on the event."""

from __future__ import annotations

from collections.abc import Mapping

from messaging.model import Address, Channel, ConversationState, DeliveryStatus, EventKind

# https://www.twilio.com/docs/conversations/conversations-webhooks : the events after the fact. Those before it
# (onMessageAdd, ...) ask for leave and report nothing, so they are unknown here.
EVENT_KINDS: Mapping[str, EventKind] = {
    "onConversationAdded": EventKind.CONVERSATION_ADDED,
    "onConversationUpdated": EventKind.CONVERSATION_UPDATED,
    "onConversationRemoved": EventKind.CONVERSATION_REMOVED,
    "onConversationStateUpdated": EventKind.CONVERSATION_STATE_UPDATED,
    "onMessageAdded": EventKind.MESSAGE_ADDED,
    "onMessageUpdated": EventKind.MESSAGE_UPDATED,
    "onMessageRemoved": EventKind.MESSAGE_REMOVED,
    "onParticipantAdded": EventKind.PARTICIPANT_ADDED,
    "onParticipantUpdated": EventKind.PARTICIPANT_UPDATED,
    "onParticipantRemoved": EventKind.PARTICIPANT_REMOVED,
    "onDeliveryUpdated": EventKind.DELIVERY_UPDATED,
}

# https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks and, for the receipts of
# Conversations, https://www.twilio.com/docs/conversations/api/receipt-resource
# `receiving` and `received` are of inbound messages, which have no delivery.
DELIVERY_STATUSES: Mapping[str, DeliveryStatus] = {
    "accepted": DeliveryStatus.QUEUED,
    "scheduled": DeliveryStatus.QUEUED,
    "queued": DeliveryStatus.QUEUED,
    "sending": DeliveryStatus.SENDING,
    "sent": DeliveryStatus.SENT,
    "partially_delivered": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "undelivered": DeliveryStatus.UNDELIVERED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
}

# https://www.twilio.com/docs/conversations/states-timers
STATES: Mapping[str, ConversationState] = {
    "initializing": ConversationState.INITIALIZING,
    "active": ConversationState.ACTIVE,
    "inactive": ConversationState.INACTIVE,
    "closed": ConversationState.CLOSED,
}

# `MessagingBinding.Type` and `Source`, in any case: https://www.twilio.com/docs/conversations/conversations-webhooks
CHANNELS: Mapping[str, Channel] = {
    "sms": Channel.SMS,
    "mms": Channel.MMS,
    "whatsapp": Channel.WHATSAPP,
    "rcs": Channel.RCS,
    "messenger": Channel.MESSENGER,
    "email": Channel.EMAIL,
    "chat": Channel.CHAT,
    "sdk": Channel.CHAT,
}

# What an inbound message may carry beside text and media, by group and name in `Message.attributes`.
# https://www.twilio.com/docs/messaging/guides/webhook-request
MESSAGE_ATTRIBUTES: Mapping[str, tuple[str, str]] = {
    "ButtonText": ("button", "text"),
    "ButtonPayload": ("button", "payload"),
    "ButtonType": ("button", "type"),
    "Latitude": ("location", "latitude"),
    "Longitude": ("location", "longitude"),
    "Address": ("location", "address"),
    "Label": ("location", "label"),
    "OriginalRepliedMessageSid": ("reply_to", "sid"),
    "OriginalRepliedMessageSender": ("reply_to", "sender"),
    "ProfileName": ("profile", "name"),
    "WaId": ("profile", "wa_id"),
    "MessageType": ("content", "type"),
    "InteractiveData": ("content", "interactive"),
    "FlowData": ("content", "flow"),
    "Forwarded": ("content", "forwarded"),
    "FrequentlyForwarded": ("content", "frequently_forwarded"),
    "ReferralSourceId": ("referral", "source_id"),
    "ReferralSourceType": ("referral", "source_type"),
    "ReferralSourceUrl": ("referral", "source_url"),
    "ReferralHeadline": ("referral", "headline"),
    "ReferralBody": ("referral", "body"),
    "ReferralCtwaClid": ("referral", "click_id"),
}

KEY_ATTRIBUTE = "messaging_key"
"""The attribute of a Conversations message that carries our key of the send."""


def delivery_status(word: str | None) -> DeliveryStatus:
    """Translate a message or receipt status."""
    return DELIVERY_STATUSES.get((word or "").lower(), DeliveryStatus.UNKNOWN)


def conversation_state(word: str | None) -> ConversationState:
    """Translate a conversation state."""
    return STATES.get((word or "").lower(), ConversationState.UNKNOWN)


def channel(word: str | None) -> Channel:
    """Translate a binding type or an event source."""
    return CHANNELS.get((word or "").lower(), Channel.UNKNOWN)


def address(raw: str, *, external_id: str | None = None) -> Address:
    """Read an address of Programmable Messaging or of a binding.

    A WhatsApp address without a number is itself the person's stable id:
    https://www.twilio.com/en-us/changelog/whatsapp-bsuid-format-in-conversations-and-webhook-fields
    """
    known = Address.parse(raw)
    if external_id:
        return Address.parse(raw, external_id=external_id.partition(":")[2] or external_id)
    if known.channel is Channel.WHATSAPP and known.phone is None:
        return Address.parse(raw, external_id=known.value)
    return known


def author(raw: str, source: Channel = Channel.UNKNOWN, *, external_id: str | None = None) -> Address:
    """Read the author of a Conversations message: an address, or else a chat identity."""
    prefixed = address(raw, external_id=external_id)
    if prefixed.channel is not Channel.SMS or prefixed.phone is not None:
        return prefixed
    return Address(channel=Channel.CHAT if source is Channel.UNKNOWN else source, value=raw)
