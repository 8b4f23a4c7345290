"""Every setting, read once from the environment (and `.env`) into one frozen object.

`TEMPORAL_*` and `OTEL_*` are read by the libraries that define them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import pydantic_settings
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from agents import guardrails, languages, pricing
from messaging.config import explain
from messaging.model import Channel
from runtime import access
from runtime.codec import Sealing
from runtime.conduct import Conduct, ImportPath
from workflows.budget import Budget
from workflows.policy import Durability, FlowChange, Rules, WindowUnit


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names each one and what is allowed, and repeats no value."""


def _comma_separated(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # it repeats the value, which may hold a password
        usable = False
    if not usable:
        raise ValueError("must be an http:// or https:// URL with a host, and a port from 1 to 65535 if any")
    return value.rstrip("/")


def _places(value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    if any(place.count("/") != 1 for place in value):
        raise ValueError('must map places of the form "flow/channel", with * for any, to lists of names of tools')
    return value


def _checks(value: frozenset[str]) -> frozenset[str]:
    if value == {"none"}:
        return frozenset()
    if unknown := value - set(guardrails.NAMES):
        raise ValueError(f"has no {', '.join(sorted(unknown))}; there are {', '.join(guardrails.NAMES)}, or none alone")
    return value


def _languages(value: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := set(value) - languages.KNOWN:
        raise ValueError(f"has no {', '.join(sorted(unknown))}; there are {', '.join(sorted(languages.KNOWN))}")
    return value


def _tokens(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for entry in value:
        access.parse(entry.get_secret_value())
    return value


def _keys(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    Sealing.of(key.get_secret_value() for key in value)
    return value


def _prices(value: Any) -> Any:
    return pricing.table(value) if isinstance(value, dict) else value


Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_comma_separated)]
Keys = Annotated[Secrets, AfterValidator(_keys)]
# As written: a token, or a name with a scope and the token's hash.
Tokens = Annotated[Secrets, AfterValidator(_tokens)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated), Field(min_length=1)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]

# The two that come with the package. Both are up at once: what comes in by one is answered by the same.
TWILIO = ("twilio", "twilio_messaging")

DEFAULT_TASK_QUEUE = "conversations"

# Shorter keys could be guessed, and a guessed key turns contact ids back into phone numbers.
MIN_ID_KEY = 16

# A sweep lists at the provider and asks conversations: more often, it would cost more than what it looks for.
_OFTEN = 60


class Settings(Conduct):
    """Names are those of the environment variables, in lower case."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    twilio_account_sid: str | None = None
    twilio_auth_token: Secrets = ()
    twilio_api_key: str | None = None
    twilio_api_secret: SecretStr | None = None
    twilio_phone_number: str | None = None
    twilio_whatsapp_number: str | None = None
    twilio_base_url: HttpUrl | None = None
    public_url: HttpUrl = "http://127.0.0.1:8000"

    temporal_task_queue: Annotated[str, Field(min_length=1)] = DEFAULT_TASK_QUEUE

    qdrant_url: HttpUrl = "http://127.0.0.1:6333"
    qdrant_api_key: SecretStr | None = None
    qdrant_path: Path | None = None

    messaging_window: Annotated[int, Field(ge=100, le=12_000)] = 2_400
    messaging_window_unit: WindowUnit = WindowUnit.CHARACTERS
    messaging_forget_provider_copies: bool = False
    messaging_embedder: ImportPath | None = None
    messaging_contact_resolver: ImportPath | None = None
    messaging_tenant: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")] = "default"
    messaging_providers: Names = TWILIO
    messaging_provider: str | None = None
    messaging_provider_options: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, repr=False)
    messaging_agent: ImportPath | None = None
    messaging_agent_model: str | None = None
    messaging_agent_requests: Annotated[int, Field(ge=1, le=50)] = 6
    messaging_agent_tokens: Annotated[int, Field(ge=1_000, le=2_000_000)] = 60_000
    # The activity is given up after 300 s.
    messaging_agent_timeout: Annotated[float, Field(ge=1, le=240)] = 45.0
    messaging_agent_prices: Annotated[dict[str, pricing.Price], BeforeValidator(_prices), Field(default_factory=dict)]
    messaging_tools: Annotated[str, Field(min_length=1)] | None = None
    messaging_tool_places: Annotated[dict[str, tuple[str, ...]], AfterValidator(_places), Field(default_factory=dict)]
    messaging_guardrails: Annotated[
        frozenset[str], NoDecode, BeforeValidator(_comma_separated), AfterValidator(_checks)
    ] = frozenset(guardrails.NAMES)
    messaging_guard_input_chars: Annotated[int, Field(ge=1)] = 8_000
    messaging_guard_output_chars: Annotated[int, Field(ge=1)] = 6_400
    messaging_guard_languages: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_comma_separated), AfterValidator(_languages)
    ] = ()
    messaging_guard_links: Names | None = None
    messaging_moderation: ImportPath | None = None
    messaging_budget_answers: Annotated[int, Field(ge=0)] = 500
    messaging_budget_tokens: Annotated[int, Field(ge=0)] = 0
    messaging_budget_cost: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    messaging_agent_threshold: Annotated[float, Field(ge=0, le=1)] = 0.30
    messaging_agent_durability: Durability = Durability.REPLY
    messaging_agent_cites: bool = True
    messaging_knowledge: Path | None = None
    messaging_deployment: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,128}$")] | None = None
    messaging_build_id: Annotated[str, Field(pattern="^[A-Za-z0-9_.-]{1,128}$")] | None = None
    messaging_shutdown_grace: Annotated[int, Field(ge=1, le=600)] = 10
    messaging_flow: ImportPath | None = None
    messaging_flow_change: FlowChange = FlowChange.TURN
    messaging_timeout: Annotated[float, Field(ge=1, le=300)] = 30.0
    messaging_max_retries: Annotated[int, Field(ge=0, le=10)] | None = None
    messaging_retry_delay: Annotated[float, Field(ge=0.1, le=30)] = 1.0
    messaging_retry_backoff: Annotated[float, Field(ge=1, le=5)] = 2.0
    messaging_api_host: str = "127.0.0.1"
    messaging_api_port: Annotated[int, Field(ge=0, le=65535)] = 8000
    messaging_api_tokens: Tokens = ()
    messaging_id_key: SecretStr | None = None
    messaging_codec_keys: Keys = ()
    messaging_data_dir: Path = Path(".messaging")
    messaging_sweep_every: Annotated[float, Field(ge=0, le=86_400)] = 900.0
    messaging_spool: Path | None = None
    messaging_spool_megabytes: Annotated[int, Field(ge=1, le=1_000_000)] = 1024
    messaging_sender_rate: Annotated[int, Field(ge=0, le=100_000)] = 300
    messaging_intake_rate: Annotated[int, Field(ge=0, le=100_000)] = 500
    messaging_temporal_ui: HttpUrl = "http://127.0.0.1:8233"
    messaging_log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    messaging_log_format: Literal["auto", "json", "console"] = "auto"

    @field_validator("messaging_sweep_every")
    @classmethod
    def _is_interval(cls, value: float) -> float:
        if 0 < value < _OFTEN:
            raise ValueError(f"must be 0, which turns sweeps off, or at least {_OFTEN} seconds")
        return value

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.messaging_agent and self.messaging_agent_model:
            raise ValueError("messaging_agent and messaging_agent_model exclude each other: set one of them")
        if self.messaging_agent_durability is Durability.REQUEST and not self.messaging_agent_model:
            raise ValueError(
                "messaging_agent_durability: request needs messaging_agent_model; only a model has requests"
            )
        if self.messaging_tools and not self.messaging_agent_model:
            raise ValueError("messaging_tools: only a model calls tools, so messaging_agent_model must be set too")
        if bool(self.messaging_deployment) != bool(self.messaging_build_id):
            raise ValueError("messaging_deployment and messaging_build_id: set both of them, or neither")
        if self.messaging_provider and self.messaging_provider not in self.messaging_providers:
            raise ValueError("messaging_provider: must be one of messaging_providers")
        if not self.messaging_api_tokens and not self.is_loopback:
            raise ValueError(
                "messaging_api_tokens: must be set when messaging_api_host is not a loopback address "
                "(127.0.0.1, ::1, localhost)"
            )
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the API."""
        if self.messaging_api_host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.messaging_api_host).is_loopback
        except ValueError:
            return False

    @property
    def rules(self) -> Rules:
        """What travels with each text."""
        budget = Budget(
            answers=self.messaging_budget_answers,
            tokens=self.messaging_budget_tokens,
            cost=self.messaging_budget_cost,
        )
        return replace(
            self.conduct(),
            budget=budget,
            durability=self.messaging_agent_durability,
            flow_change=self.messaging_flow_change,
            window=self.messaging_window,
            window_unit=self.messaging_window_unit,
        )

    @property
    def spool_folder(self) -> Path:
        """Where events wait while Temporal is away."""
        return self.messaging_spool or self.messaging_data_dir / "spool"

    def api_tokens(self) -> tuple[str, ...]:
        """The entries as written; `runtime.access` reads them."""
        return tuple(token.get_secret_value() for token in self.messaging_api_tokens)

    def sealing(self) -> Sealing | None:
        """What encrypts all that goes to Temporal; None where no key is set."""
        return Sealing.of(key.get_secret_value() for key in self.messaging_codec_keys)

    def id_key(self) -> bytes:
        """The key that hides phone numbers in ids.

        Raises:
            SettingsError: it is not set, or too short to keep a secret.
        """
        key = self.messaging_id_key.get_secret_value() if self.messaging_id_key else ""
        if len(key) < MIN_ID_KEY:
            raise SettingsError(
                f"MESSAGING_ID_KEY: must be set to at least {MIN_ID_KEY} random characters, the same for ever "
                "(make one with: openssl rand -hex 32)"
            )
        return key.encode()

    @property
    def own_provider(self) -> str:
        """The provider of conversations that we start."""
        return self.messaging_provider or self.messaging_providers[-1]

    @property
    def senders(self) -> dict[Channel, str]:
        """Our own addresses for conversations that we start."""
        whatsapp = self.twilio_whatsapp_number
        found = {
            Channel.SMS: self.twilio_phone_number,
            Channel.WHATSAPP: f"whatsapp:{whatsapp.removeprefix('whatsapp:')}" if whatsapp else None,
        }
        return {channel: address for channel, address in found.items() if address}

    def provider_options(self, name: str) -> Mapping[str, Any]:
        """What a provider is configured with: Twilio's by `TWILIO_*`, any other's by `MESSAGING_PROVIDER_OPTIONS`.

        Raises:
            SettingsError: Twilio's credentials are missing.
        """
        own = self.messaging_provider_options.get(name, {})
        return {**self._twilio_options(), **own} if name in TWILIO else own

    def _twilio_options(self) -> dict[str, Any]:
        if not self.twilio_account_sid:
            raise SettingsError("TWILIO_ACCOUNT_SID: must be set (AC and 32 hexadecimal digits)")
        if not self.twilio_auth_token:
            raise SettingsError("TWILIO_AUTH_TOKEN: must be set, it verifies webhooks (several by comma: rotation)")
        options: dict[str, Any] = {
            "account_sid": self.twilio_account_sid,
            "auth_token": [token.get_secret_value() for token in self.twilio_auth_token],
            "api_key": self.twilio_api_key,
            "api_secret": self.twilio_api_secret.get_secret_value() if self.twilio_api_secret else None,
            "base_url": self.twilio_base_url,
            "webhook_url": self.public_url,
            "phone_number": self.twilio_phone_number,
            "whatsapp_number": self.twilio_whatsapp_number,
        }
        return {name: value for name, value in options.items() if value is not None}


def load(**overrides: Any) -> Settings:
    """Read the settings.

    Raises:
        SettingsError
    """
    try:
        return Settings(**overrides)
    except ValidationError as invalid:
        raise SettingsError(_in_environment_names(explain(invalid))) from None
    except pydantic_settings.SettingsError as unread:
        # Its text names the field, between quotes, and says nothing of what is allowed.
        name = str(unread).partition('"')[2].partition('"')[0]
        raise SettingsError(f"{name.upper()}: must be JSON") from None


def _in_environment_names(text: str) -> str:
    for name in sorted(Settings.model_fields, key=len, reverse=True):  # some are prefixes of others
        text = text.replace(name, name.upper())
    return text
