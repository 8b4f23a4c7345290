"""What one simulator is: its account, its numbers, where it sends webhooks, and how fast time passes in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from simulator import address, weburl

SUGGESTIONS = (
    "What are your opening hours?",
    "Can I change my delivery address?",
    "I would like to talk to a person.",
)

_MOST_RETRIES = 5  # of a webhook, as on Twilio
_FASTEST = 1_000_000  # segments a second; beyond any sender


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDelays:
    """Seconds between two statuses of an outbound message. `read` None: read only when somebody looks (WhatsApp)."""

    queued: float = 0.03
    sending: float = 0.05
    sent: float = 0.1
    delivered: float = 0.2
    read: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """Everything a simulator is started with. Raises ValueError that names the field."""

    account_sid: str = "AC" + "0" * 32
    auth_token: str = "simulator"  # noqa: S105 - opens nothing but a simulator
    secondary_auth_token: str = ""
    """Opens the REST too; signs webhooks when `POST /_sim/signing` says so."""
    api_keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """SK sid -> secret."""
    test_account_sid: str = "AC7e57" + "0" * 28
    """Test credentials: nothing is kept or sent, and only Twilio's magic numbers mean anything."""
    test_auth_token: str = "test"  # noqa: S105 - opens nothing at all
    live_magic: bool = True
    """Magic numbers have their answers for the account itself too. On Twilio they are ordinary numbers there."""
    phone_number: str = "+15550100000"
    whatsapp_number: str = "+15550100001"
    rcs_sender: str = "rcs:simulator_agent"
    messenger_page: str = "messenger:100000000000001"
    public_url: str = "http://127.0.0.1:4010"
    """Where the simulator itself is reached; used in URLs only with `own_urls`."""
    own_urls: bool = False
    """True: `url`, `links`, `meta` and media URLs name `public_url` instead of Twilio's hosts."""

    webhook_base: str = "http://127.0.0.1:8000"
    messages_path: str = "/webhooks/twilio/messages"
    conversations_path: str = "/webhooks/twilio/conversations"
    webhook_retries: int = 5
    """Twilio's own default is 1. A developer restarts the receiver more often than production does."""
    webhook_retry_policy: frozenset[str] = frozenset({"ct", "5xx"})
    """Of 4xx, 5xx, ct, rt, all. Twilio's own default is ct."""
    webhook_backoff: float = 0.25
    """Seconds before the first retry, doubled each time; Retry-After wins. Both stop at `webhook_backoff_max`."""
    webhook_backoff_max: float = 5.0
    webhook_timeout: float = 15.0
    conversations_webhook_timeout: float = 5.0

    delays: StatusDelays = StatusDelays()
    dual_delivery: bool = True
    """An inbound text that a conversation takes still fires its number's own webhook, as on Twilio."""
    whatsapp_window: bool = True
    """Free-form WhatsApp more than 24 h after the person's last text fails with 63016."""

    group_setup: float = 0.2
    """Seconds that a group MMS of ConversationWithParticipants stays `initializing`."""
    strict_callbacks: bool = False
    """A StatusCallback must be reachable from the Internet (21609), as on Twilio."""
    template_review: float = 0.0
    """Seconds until WhatsApp approves a template that was handed in."""
    actions_per_second: int | None = None
    """Mutations of each kind that Conversations takes a second (Twilio: 30); more get 429. None: no limit."""

    opt_out: bool = True
    """Twilio heeds STOP and START: it answers, and the next send gets 21610."""
    opt_out_async: bool = False
    """A send to somebody who opted out is taken and fails later; otherwise it is refused at once."""
    carrier_events_at_service: bool = True
    """A service's own hook hears of texts from phones (onMessageAdded). One live account was seen where it does not."""
    throughput: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Channel (sms, whatsapp, …) -> segments a second of each sender. A channel that is not there has no limit."""

    data: Path | None = None
    seed: int | None = None
    max_messages: int = 100_000
    max_media_bytes: int = 512 * 1024 * 1024
    """Uploaded files together; the oldest make room."""
    max_records: int = 20_000
    """Size of the transcript and of the webhook log."""

    suggestions: tuple[str, ...] = SUGGESTIONS
    links: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Label -> URL, shown above the phones."""

    def __post_init__(self) -> None:
        self._check_accounts()
        if not self.auth_token:
            raise ValueError("auth_token: must not be empty")
        for name in ("phone_number", "whatsapp_number"):
            value = str(getattr(self, name)).removeprefix("whatsapp:")
            if not re.fullmatch(r"\+[1-9]\d{4,14}", value):
                raise ValueError(f"{name}: a number like +15550100000 expected")
            object.__setattr__(self, name, value)
        for name in ("public_url", "webhook_base"):
            value = str(getattr(self, name)).rstrip("/")
            if not weburl.is_web(value) or re.search("[#?]", value):
                raise ValueError(f"{name}: an http or https URL expected")
            object.__setattr__(self, name, value)
        if self.max_messages < 1 or self.max_records < 1 or self.max_media_bytes < 1:
            raise ValueError("max_messages, max_records, max_media_bytes: must be at least 1")
        self._check_rates()

    def _check_rates(self) -> None:
        if not 0 <= self.webhook_retries <= _MOST_RETRIES:
            raise ValueError(f"webhook_retries: 0 to {_MOST_RETRIES} expected")
        if unknown := [name for name in self.throughput if name not in address.CHANNELS]:
            raise ValueError(f"throughput: {unknown[0]}: one of {', '.join(address.CHANNELS)} expected")
        if wrong := [name for name, rate in self.throughput.items() if not 0 < rate <= _FASTEST]:
            raise ValueError(f"throughput: {wrong[0]}: more than 0 and at most {_FASTEST} a second expected")
        if odd := self.webhook_retry_policy - {"4xx", "5xx", "ct", "rt", "all"}:
            raise ValueError(f"webhook_retry_policy: unknown {sorted(odd)}")

    def _check_accounts(self) -> None:
        for name in ("account_sid", "test_account_sid"):
            if not re.fullmatch(r"AC[0-9a-fA-F]{32}", str(getattr(self, name))):
                raise ValueError(f"{name}: AC and 32 hexadecimal digits expected")
        if self.test_account_sid == self.account_sid:
            raise ValueError("test_account_sid: must not be the account's own")
