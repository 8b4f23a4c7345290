"""What the simulator remembers. Times are seconds since 1970; fields are plain JSON, because the journal keeps them."""

from dataclasses import dataclass, field
from typing import Any

from simulator.address import channel as channel_of


@dataclass(slots=True, kw_only=True)
class Message:
    """One text between a person and one of our numbers: a row of the account's message log."""

    sid: str
    direction: str
    sender: str
    recipient: str
    body: str
    status: str
    created: float
    updated: float
    sent: float | None = None
    num_segments: int = 1
    media: list[dict[str, str]] = field(default_factory=list)
    """Each: sid (ME…), url, content_type."""
    messaging_service_sid: str | None = None
    status_callback: str | None = None
    error_code: int | None = None
    error_message: str | None = None
    profile_name: str | None = None
    content_sid: str | None = None
    send_at: float | None = None
    validity: int = 36_000
    """Seconds that it may wait to be sent."""
    leaves_at: float | None = None
    """Outbound, when its sender has a rate: when it leaves that one's queue."""
    fate: tuple[str, int, str] | None = None
    """Outbound: how it will end, when that is not by being delivered: status, code, message."""
    heard: bool = False
    """Inbound: the number's webhook took it."""
    read: bool = False
    """Inbound: the product showed that it was read (WhatsApp)."""
    buttons: list[dict[str, str]] = field(default_factory=list)
    """Quick replies that the person may press. Each: text, payload."""
    feedback: str | None = None
    conversation_sid: str | None = None
    chat_message_sid: str | None = None
    receipt_sid: str | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    """Inbound, what a text may bring along: button {text, payload}, location {latitude, longitude, label, address},
    reply_to (a sid), others (of a group), external_id, referral {…}."""

    @property
    def inbound(self) -> bool:
        return self.direction == "inbound"

    @property
    def phone(self) -> str:
        """The person's address."""
        return self.sender if self.inbound else self.recipient

    @property
    def number(self) -> str:
        """Our address; empty while a messaging service has not chosen one."""
        return self.recipient if self.inbound else self.sender

    @property
    def channel(self) -> str:
        return channel_of(self.phone)


@dataclass(slots=True, kw_only=True)
class Number:
    """One of our own addresses and where its inbound texts are announced."""

    sid: str
    address: str
    sms_url: str
    sms_method: str = "POST"
    sms_fallback_url: str = ""
    sms_fallback_method: str = "POST"
    status_callback: str = ""
    friendly_name: str = ""
    messaging_service_sid: str | None = None
    """The pool it belongs to."""
    messages_per_second: float | None = None
    """Its own rate of sending; None: its channel's."""
    settings: dict[str, str] = field(default_factory=dict)
    """What else an IncomingPhoneNumber was given (voice, bundle, emergency): kept and shown."""
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class Service:
    """A Conversations service. `settings` hold its configuration and its notifications, under `notifications`."""

    sid: str
    friendly_name: str
    settings: dict[str, Any] = field(default_factory=dict)
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class Conversation:
    sid: str
    service: str
    friendly_name: str | None = None
    unique_name: str | None = None
    attributes: str = "{}"
    state: str = "active"
    messaging_service_sid: str | None = None
    timers: dict[str, str] = field(default_factory=dict)
    """inactive, closed -> ISO-8601 duration, as given."""
    next_index: int = 0
    created: float
    updated: float
    active_at: float = 0.0
    """When something last happened in it; the timers count from there."""


@dataclass(slots=True, kw_only=True)
class Participant:
    sid: str
    conversation: str
    identity: str | None = None
    address: str | None = None
    proxy_address: str | None = None
    projected_address: str | None = None
    """Our number that speaks for a chat user, or for itself, in a group MMS."""
    attributes: str = "{}"
    role_sid: str | None = None
    last_read_index: int | None = None
    last_read_at: str | None = None
    notification_level: str = "default"
    created: float
    updated: float

    @property
    def pair(self) -> tuple[str, str] | None:
        return (self.address, self.proxy_address) if self.address and self.proxy_address else None

    @property
    def binding(self) -> dict[str, str] | None:
        """As the REST shows it; None for a chat user."""
        parts = {
            "address": self.address,
            "proxy_address": self.proxy_address,
            "projected_address": self.projected_address,
        }
        given = {name: value for name, value in parts.items() if value}
        if not given:
            return None
        return {"type": channel_of(next(iter(given.values()))), **given}


@dataclass(slots=True, kw_only=True)
class ChatMessage:
    """A message in a conversation. What a phone gets of it is a Message of its own."""

    sid: str
    conversation: str
    index: int
    author: str
    participant: str | None = None
    body: str | None = None
    attributes: str = "{}"
    media: list[dict[str, Any]] = field(default_factory=list)
    """Each: sid (ME…), url, content_type, filename, size."""
    content_sid: str | None = None
    content_variables: dict[str, str] = field(default_factory=dict)
    subject: str | None = None
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class Receipt:
    sid: str
    chat_message: str
    conversation: str
    participant: str
    channel_message: str
    status: str
    error_code: int = 0
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class Hook:
    """Where Conversations events go. `owner`: `global`, a service (IS…) or a conversation (CH…)."""

    sid: str
    owner: str
    url: str
    method: str = "POST"
    filters: list[str] = field(default_factory=list)
    pre_url: str = ""
    target: str = "webhook"
    """webhook; or trigger: then `triggers`, words in a message, take the place of `filters`; or studio, which is kept
    and shown but leads nowhere."""
    triggers: list[str] = field(default_factory=list)
    flow_sid: str | None = None
    replay_after: int | None = None
    """The index of the first message that a new hook was told of."""
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class AddressConfig:
    """Whether a text to one of our numbers opens a conversation by itself."""

    sid: str
    address: str
    type: str
    friendly_name: str | None = None
    enabled: bool = False
    auto_type: str = "default"
    """default, webhook, or studio, which is kept and shown but leads nowhere"""
    country: str | None = None
    studio_flow_sid: str | None = None
    studio_retry_count: int | None = None
    service: str | None = None
    webhook_url: str | None = None
    webhook_method: str = "POST"
    webhook_filters: list[str] = field(default_factory=list)
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class OptOut:
    """A person who texted STOP to one of our numbers. The sid is `number person`."""

    sid: str
    created: float


@dataclass(slots=True, kw_only=True)
class Setting:
    """Something about the simulator itself that outlives a restart: how its clock is set, what it signs with."""

    sid: str
    value: dict[str, Any]
