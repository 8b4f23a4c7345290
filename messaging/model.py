"""What every provider speaks to the rest of the product: conversations, messages, deliveries and events.

Values that a provider may extend without notice are string enums with an `unknown` member: nothing we do not know is an
error, and the raw form stays on the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

from messaging.errors import Category

T = TypeVar("T")


class Channel(StrEnum):
    """What carries a message to the person."""

    SMS = "sms"
    MMS = "mms"
    WHATSAPP = "whatsapp"
    RCS = "rcs"
    MESSENGER = "messenger"
    CHAT = "chat"
    EMAIL = "email"
    UNKNOWN = "unknown"


class ConversationState(StrEnum):
    """Life cycle of a conversation at the provider."""

    INITIALIZING = "initializing"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class DeliveryStatus(StrEnum):
    """How far an outbound message got. Merge with `later`, never by assignment: reports come out of order."""

    UNKNOWN = "unknown"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"

    def later(self, other: DeliveryStatus) -> DeliveryStatus:
        """The further of the two; a final status is never replaced by another of its rank."""
        return other if _RANK[other] > _RANK[self] else self


# "sent" may be reported after "delivered":
# https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
_RANK: Mapping[DeliveryStatus, int] = {
    DeliveryStatus.UNKNOWN: 0,
    DeliveryStatus.QUEUED: 1,
    DeliveryStatus.SENDING: 2,
    DeliveryStatus.SENT: 3,
    DeliveryStatus.UNDELIVERED: 4,
    DeliveryStatus.FAILED: 4,
    DeliveryStatus.DELIVERED: 4,
    DeliveryStatus.READ: 5,
}


class EventKind(StrEnum):
    """What a webhook reports."""

    CONVERSATION_ADDED = "conversation_added"
    CONVERSATION_UPDATED = "conversation_updated"
    CONVERSATION_REMOVED = "conversation_removed"
    CONVERSATION_STATE_UPDATED = "conversation_state_updated"
    MESSAGE_ADDED = "message_added"
    MESSAGE_UPDATED = "message_updated"
    MESSAGE_REMOVED = "message_removed"
    PARTICIPANT_ADDED = "participant_added"
    PARTICIPANT_UPDATED = "participant_updated"
    PARTICIPANT_REMOVED = "participant_removed"
    DELIVERY_UPDATED = "delivery_updated"
    UNKNOWN = "unknown"


class OptOut(StrEnum):
    """A consent keyword the provider recognised, and has answered itself."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


class SendOutcome(StrEnum):
    """What is known of a send: only an absent one may be sent again."""

    CONFIRMED = "confirmed"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"


class Health(StrEnum):
    """How a backend is doing."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One end of a channel: a phone number, a chat identity, or a provider's own id for a person without a number.

    `value` is without the channel prefix; `external_id` is the provider's stable id for the person where it gives one
    (WhatsApp's business-scoped user id).
    """

    channel: Channel
    value: str
    external_id: str | None = None

    @classmethod
    def parse(cls, raw: str, *, external_id: str | None = None, default: Channel = Channel.SMS) -> Self:
        """Read `+1555…`, `whatsapp:+1555…`, `rcs:agent`, `messenger:id`; no prefix means `default`."""
        prefix, colon, rest = raw.partition(":")
        if colon and prefix.lower() in _PREFIXES:
            return cls(channel=_PREFIXES[prefix.lower()], value=rest.strip(), external_id=external_id)
        return cls(channel=default, value=raw.strip(), external_id=external_id)

    @property
    def raw(self) -> str:
        """The address as providers write it, with its channel's prefix."""
        return f"{self.channel.value}:{self.value}" if self.channel.value in _PREFIXES else self.value

    @property
    def phone(self) -> str | None:
        """The E.164 number, or None where this person has none."""
        return self.value if self.value.startswith("+") and self.value[1:].isdecimal() else None


_PREFIXES: Mapping[str, Channel] = {
    "whatsapp": Channel.WHATSAPP,
    "rcs": Channel.RCS,
    "messenger": Channel.MESSENGER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One attachment. `size` in bytes, None where the provider does not tell.

    Outbound it is a public `url` for a provider to fetch, or `data` for one that uploads: `Capabilities.uploads_media`.
    Where the provider has it already, its `sid` is enough.
    """

    url: str = ""
    sid: str | None = None
    content_type: str = "application/octet-stream"
    filename: str | None = None
    size: int | None = None
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaContent:
    """The bytes of an attachment. `content_type` is in lower case and without parameters."""

    data: bytes = field(repr=False)
    content_type: str
    filename: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A message text that the provider keeps under `sid`, approved beforehand; `variables` fill it in by name."""

    sid: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text or media message, in either direction. `index` orders messages and may have gaps.

    One with a `template` is sent as that; `body` is then what we know it says.
    """

    body: str = ""
    media: tuple[Media, ...] = ()
    sid: str = ""
    conversation_sid: str = ""
    account_sid: str = ""
    channel: Channel = Channel.UNKNOWN
    sender: Address | None = None
    recipient: Address | None = None
    index: int | None = None
    author: str = ""
    date_created: datetime | None = None
    date_updated: datetime | None = None
    delivery_status: DeliveryStatus = DeliveryStatus.UNKNOWN
    error_code: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    template: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendProof:
    """What became of a send. `message` is there when it is confirmed."""

    outcome: SendOutcome
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """When a conversation turns inactive and closed: durations in seconds when set, instants when read."""

    inactive_after: float | None = None
    closed_after: float | None = None
    date_inactive: datetime | None = None
    date_closed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation as the provider holds it."""

    sid: str
    account_sid: str = ""
    friendly_name: str = ""
    unique_name: str | None = None
    state: ConversationState = ConversationState.ACTIVE
    date_created: datetime | None = None
    date_updated: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    timers: Timers = field(default_factory=Timers)
    messaging_service_sid: str | None = None
    bindings: Mapping[str, Any] = field(default_factory=dict)
    """What ties it to channels, by channel, as the provider has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationConfig:
    """What a new conversation should be. `unique_name` makes its creation idempotent."""

    friendly_name: str = ""
    unique_name: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    state: ConversationState = ConversationState.ACTIVE
    timers: Timers = field(default_factory=Timers)
    messaging_service_sid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list. `next_cursor` is opaque; None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """How a participant is reached: their `address` by our `proxy_address`, or a group's `projected_address`."""

    type: Channel
    address: Address | None = None
    proxy_address: Address | None = None
    projected_address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Somebody in a conversation: a chat `identity`, or a `binding` to an address."""

    sid: str = ""
    conversation_sid: str = ""
    identity: str | None = None
    binding: Binding | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    role_sid: str | None = None
    date_created: datetime | None = None
    date_updated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """One report about one outbound message. `key` is ours, where the provider carried it back; `category` says what a
    failure asks for."""

    message_sid: str
    status: DeliveryStatus
    key: str | None = None
    error_code: int | None = None
    participant_sid: str | None = None
    category: Category | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A webhook as it arrived: nothing decoded, since the signature covers the raw form.

    `route` says which of our endpoints it came to (`conversations`, `messages`, `status`); `path` and `query` are the
    raw parts of the request target; header names are lower case.
    """

    route: str
    method: str = "POST"
    path: str
    query: str = ""
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent:
    """One thing a provider reported. Two events with the same `event_key` are the same event.

    `conversation_sid` is the provider's id of the conversation, or what stands for one where the provider has none (a
    pair of addresses). `ours` and `theirs` are known for messages. `echo` marks our own send coming back.
    """

    provider: str
    event_key: str
    kind: EventKind
    account_sid: str = ""
    conversation_sid: str = ""
    occurred_at: datetime | None = None
    received_at: datetime
    index: int | None = None
    message: Message | None = None
    delivery: DeliveryReport | None = None
    participant: Participant | None = None
    conversation: Conversation | None = None
    ours: Address | None = None
    theirs: Address | None = None
    opt_out: OptOut | None = None
    echo: bool = False
    raw: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthStatus:
    """The result of a health check, with what was looked at."""

    status: Health
    last_check: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do, so that nobody has to ask its name."""

    channels: frozenset[Channel]
    conversations: bool
    participants: bool
    outbound_media: bool
    max_body: int
    proves_absence: bool
    """Whether a look for our key can prove that a send never happened."""
    inbound_media: bool = False
    """Whether `fetch_media` brings what people attach."""
    uploads_media: bool = False
    """Whether outbound media are handed over as `data`, not by `url`."""
    lists_inbound: bool = False
    """Whether what people wrote can be listed afterwards, by `list_inbound`."""
    max_media: int = 10
    """The most attachments of one outbound message; a channel may take fewer."""
