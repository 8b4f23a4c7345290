"""Conversations events: their form fields and who gets them.

https://www.twilio.com/docs/conversations/conversations-webhooks
"""

import json
import re
from collections.abc import Iterable, Iterator

from simulator import address
from simulator.assets import User
from simulator.clock import iso, iso_ms
from simulator.config import SimulatorConfig
from simulator.delivery import Delivery
from simulator.records import ChatMessage, Conversation, Hook, Message, Participant, Receipt
from simulator.store import Store
from simulator.switches import Switches
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
    "onUserAdded",
    "onUserUpdated",
)
PRE_EVENTS = (
    "onConversationAdd",
    "onConversationUpdate",
    "onConversationRemove",
    "onMessageAdd",
    "onMessageUpdate",
    "onMessageRemove",
    "onParticipantAdd",
    "onParticipantUpdate",
    "onParticipantRemove",
    "onUserUpdate",
)
GLOBAL = "global"
_NOT_CARRIERS = frozenset({"SDK", "API"})
Fields = dict[str, str]
# Client SDKs, which alone would make a user reachable, connect to no simulator.
_NOT_REACHABLE = {"IsOnline": "false", "IsNotifiable": "false"}


class Events:
    def __init__(self, *, config: SimulatorConfig, store: Store, webhooks: Webhooks, switches: Switches) -> None:
        self._config = config
        self._store = store
        self._webhooks = webhooks
        self._switches = switches

    def emit(
        self, event: str, conversation: Conversation, fields: Fields, *, source: str, identity: str | None = None
    ) -> None:
        """`source`: SDK, API, SMS, WHATSAPP. `identity`: the chat user who acted, for SDK."""
        for hook in self._hooks(conversation):
            if hook.url and self._concerns(hook, event, fields, source):
                self.send(hook, event, fields, source=source, identity=identity)

    def emit_user(self, event: str, user: User, *, source: str | None) -> None:
        """`source` None: nobody is told."""
        for hook in self._above(user.service):
            if source is not None and hook.url and event in hook.filters:
                present = _NOT_REACHABLE if event == "onUserUpdated" else {}
                self.send(hook, event, user_fields(user) | present, source=source)

    def send(self, hook: Hook, event: str, fields: Fields, *, source: str, identity: str | None = None) -> None:
        """To this hook alone, whatever it filters."""
        conversation = fields.get("ConversationSid", "")
        subject = fields.get("MessageSid") or fields.get("ParticipantSid") or conversation or fields.get("UserSid", "")
        # Receipts may come late and often; they do not hold up what is said.
        order = f"receipts {subject}" if event == "onDeliveryUpdated" else conversation or subject
        self._webhooks.send(
            Delivery(
                url=hook.url,
                method=hook.method,
                params=tuple((self.common(event, source, identity) | fields).items()),
                event=event,
                subject=subject,
                order=order,
                conversations=True,
            )
        )

    def common(self, event: str, source: str, identity: str | None) -> Fields:
        fields = {"EventType": event, "AccountSid": self._config.account_sid, "Source": source}
        return fields | ({"ClientIdentity": identity} if identity is not None and source == "SDK" else {})

    def before(self, event: str, service: str) -> Hook | None:
        """Whom to ask before this happens: the service's hook, which replaces the account's."""
        hook = next(iter(self._above(service)), None)
        return hook if hook is not None and hook.pre_url and event in hook.filters else None

    def replay(self, hook: Hook, conversation: Conversation, start: int) -> None:
        """Tells a new hook of what was said before it, from this index on."""
        for message in self._store.said.of(conversation.sid).values():
            fields, source = message_fields(message, conversation), self._source_of(message)
            if message.index >= start and self._concerns(hook, "onMessageAdded", fields, source):
                self.send(hook, "onMessageAdded", fields, source=source, identity=message.author)

    def _hooks(self, conversation: Conversation) -> Iterator[Hook]:
        yield from self._store.hooks_of.of(conversation.sid).values()
        yield from self._above(conversation.service)

    def _above(self, service: str) -> Iterable[Hook]:
        """Those of a service, which replace the account's."""
        return (self._store.hooks_of.of(service) or self._store.hooks_of.of(GLOBAL)).values()

    def _concerns(self, hook: Hook, event: str, fields: Fields, source: str) -> bool:
        if hook.target == "trigger":
            return event == "onMessageAdded" and _triggered(hook.triggers, fields.get("Body", ""))
        if event not in hook.filters:
            return False
        of_service = hook.owner not in {GLOBAL, fields.get("ConversationSid")}
        deaf = of_service and event == "onMessageAdded" and source not in _NOT_CARRIERS
        return not deaf or self._switches.carrier_events_at_service

    def _source_of(self, message: ChatMessage) -> str:
        author = self._store.participants.get(message.participant or "")
        if author is None:
            return "API"
        return address.channel(author.address).upper() if author.address else "SDK"


def _triggered(words: list[str], body: str) -> bool:
    """A word of the list stands in the text, as a word by itself, in any case."""
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", body, re.IGNORECASE) for word in words)


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


def draft(fields: Fields) -> Fields:
    """Of something that is not there yet: without what it will be given."""
    given = {"ConversationSid", "MessageSid", "ParticipantSid", "Index", "DateCreated", "DateUpdated"}
    keep = {"ConversationSid"} if fields.get("ConversationSid") else set()
    return {name: value for name, value in fields.items() if name not in given - keep}


def opened_by(message: Message) -> Fields:
    """What an auto-created conversation adds to its event."""
    if message.extras.get("others"):
        return {
            "MessagingBinding.ProjectedAddress": message.recipient,
            "MessagingBinding.AuthorAddress": message.sender,
        }
    return {
        "MessagingBinding.ProxyAddress": message.recipient,
        "MessagingBinding.Address": message.sender,
        "MessagingBinding.AuthorAddress": message.sender,
    }


def first_words(message: Message) -> Fields:
    """The text that would open a conversation, for whom is asked before."""
    media = [
        {"Sid": m["sid"], "ContentType": m["content_type"], "Filename": m.get("filename", ""), "Size": 0}
        for m in message.media
    ]
    return {"MessageBody": message.body} | ({"Media": json.dumps(media)} if media else {})


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


def changed(fields: Fields, updated: float, removed: float | None = None) -> Fields:
    """What is told of a change, or of an end, beside what was told of the beginning."""
    ended = {} if removed is None else {"DateRemoved": iso_ms(removed)}
    return fields | {"DateUpdated": iso_ms(updated)} | ended


def user_fields(user: User) -> Fields:
    return _present(
        ChatServiceSid=user.service,
        UserSid=user.sid,
        DateCreated=iso_ms(user.created),
        DateUpdated=iso_ms(user.updated),
        Identity=user.identity,
        RoleSid=user.role_sid,
        Attributes=user.attributes,
        FriendlyName=user.friendly_name,
    )


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
