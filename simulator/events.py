"""Conversations events: their form fields and who gets them.

https://www.twilio.com/docs/conversations/conversations-webhooks
"""

import json
from collections.abc import Iterator

from simulator.clock import iso, iso_ms
from simulator.config import SimulatorConfig
from simulator.delivery import Delivery
from simulator.records import ChatMessage, Conversation, Hook, Message, Participant, Receipt
from simulator.store import Store
from simulator.webhooks import Webhooks

POST_EVENTS = (
    "onConversationAdded",
    "onConversationUpdated",
    "onConversationRemoved",
    "onConversationStateUpdated",
    "onMessageAdded",
    "onMessageUpdated",
    "onMessageRemoved",
    "onParticipantAdded",
    "onParticipantUpdated",
    "onParticipantRemoved",
    "onDeliveryUpdated",
)
GLOBAL = "global"
Fields = dict[str, str]


class Events:
    def __init__(self, *, config: SimulatorConfig, store: Store, webhooks: Webhooks) -> None:
        self._config = config
        self._store = store
        self._webhooks = webhooks

    def emit(
        self, event: str, conversation: Conversation, fields: Fields, *, source: str, identity: str | None = None
    ) -> None:
        """`source`: SDK, API, SMS, WHATSAPP. `identity`: the chat user who acted, for SDK."""
        common = {"EventType": event, "AccountSid": self._config.account_sid, "Source": source}
        if identity is not None and source == "SDK":
            common["ClientIdentity"] = identity
        params = tuple((common | fields).items())
        subject = fields.get("MessageSid") or fields.get("ParticipantSid") or conversation.sid
        # Receipts may come late and often; they do not hold up what is said.
        order = f"receipts {subject}" if event == "onDeliveryUpdated" else conversation.sid
        for hook in self._hooks(conversation):
            if event in hook.filters and hook.url:
                self._webhooks.send(
                    Delivery(
                        url=hook.url,
                        method=hook.method,
                        params=params,
                        event=event,
                        subject=subject,
                        order=order,
                        conversations=True,
                    )
                )

    def _hooks(self, conversation: Conversation) -> Iterator[Hook]:
        """Those of the conversation, and those of its service, which replace the account's."""
        yield from self._store.hooks_of.of(conversation.sid).values()
        yield from (self._store.hooks_of.of(conversation.service) or self._store.hooks_of.of(GLOBAL)).values()


def conversation_fields(conversation: Conversation) -> Fields:
    return _present(
        ConversationSid=conversation.sid,
        DateCreated=iso_ms(conversation.created),
        DateUpdated=iso_ms(conversation.updated),
        FriendlyName=conversation.friendly_name,
        UniqueName=conversation.unique_name,
        Attributes=conversation.attributes,
        ChatServiceSid=conversation.service,
        MessagingServiceSid=conversation.messaging_service_sid,
        State=conversation.state,
    )


def opened_by(message: Message) -> Fields:
    """What an auto-created conversation adds to its event."""
    return {"MessagingBinding.ProxyAddress": message.recipient, "MessagingBinding.Address": message.sender}


def state_fields(conversation: Conversation, before: str, reason: str) -> Fields:
    return _present(
        ConversationSid=conversation.sid,
        ChatServiceSid=conversation.service,
        MessagingServiceSid=conversation.messaging_service_sid,
        StateUpdated=iso_ms(conversation.updated),
        StateFrom=before,
        StateTo=conversation.state,
        Reason=reason,
    )


def participant_fields(participant: Participant) -> Fields:
    fields = _present(
        ConversationSid=participant.conversation,
        ParticipantSid=participant.sid,
        DateCreated=iso_ms(participant.created),
        Identity=participant.identity,
        RoleSid=participant.role_sid,
        Attributes=participant.attributes,
    )
    binding = participant.binding or {"type": "chat"}
    return fields | {
        f"MessagingBinding.{name.title().replace('_', '')}": value.upper() if name == "type" else value
        for name, value in binding.items()
    }


def message_fields(message: ChatMessage, conversation: Conversation) -> Fields:
    fields = _present(
        ConversationSid=message.conversation,
        MessageSid=message.sid,
        MessagingServiceSid=conversation.messaging_service_sid,
        Index=str(message.index),
        DateCreated=iso_ms(message.created),
        Body=message.body or "",
        Author=message.author,
        ParticipantSid=message.participant,
        Attributes=message.attributes,
    )
    if message.media:
        fields["Media"] = json.dumps(
            [
                {"Sid": m["sid"], "ContentType": m["content_type"], "Filename": m["filename"], "Size": m["size"]}
                for m in message.media
            ]
        )
    return fields


def receipt_fields(receipt: Receipt, conversation: Conversation) -> Fields:
    fields = {
        "ConversationSid": receipt.conversation,
        "ChatServiceSid": conversation.service,
        "MessageSid": receipt.chat_message,
        "DeliveryReceiptSid": receipt.sid,
        "ChannelMessageSid": receipt.channel_message,
        "ParticipantSid": receipt.participant,
        "Status": receipt.status,
        "DateCreated": iso(receipt.created),
        "DateUpdated": iso(receipt.updated),
    }
    if receipt.error_code:
        fields["ErrorCode"] = str(receipt.error_code)
    return fields


def _present(**fields: str | None) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}
