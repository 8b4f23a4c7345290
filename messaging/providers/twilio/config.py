"""What the Twilio providers are configured with: `MessagingConfig.provider_specific`, validated here.

A refusal names the field, the shape of what was given and what is allowed. It never repeats the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from messaging import errors
from messaging.config import MessagingConfig, explain

REDACTED = "***"

# https://www.twilio.com/docs/glossary/what-is-a-sid
_SID_SHAPES: Mapping[str, str] = {"account_sid": "AC", "api_key": "SK", "messaging_service_sid": "MG"}
_URLS = frozenset({"base_url", "webhook_url"})
_SECRETS = frozenset({"auth_token", "api_secret", "shared_keys"})


class TwilioConfig(BaseModel):
    """One Twilio account.

    Attributes:
        auth_token: One, several by comma, or a list. The first signs our REST calls, all of them verify webhooks.
        api_key: With `api_secret`, signs REST calls instead of the auth token. Webhooks still need the token.
        base_url: Where every `*.twilio.com` call goes instead: a simulator, a recording proxy.
        webhook_url: Our public base URL as Twilio knows it; a request's raw path and query follow it.
        phone_number: Our SMS number, E.164, for conversations that we start.
        whatsapp_number: Our WhatsApp number, with or without `whatsapp:`.
        messaging_service_sid: Sends and new conversations go through this Messaging Service.
        author: The author of what we send by Conversations.
        account_name: A label for people, in health checks.
        shared_keys: Webhook shared keys: the key's name to its secret.
        settle_seconds: How old a send must be before its absence from a list counts as proof.
        poll_seconds: Time between two looks of `receive_messages`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    account_sid: str
    auth_token: tuple[SecretStr, ...] = ()
    api_key: str | None = None
    api_secret: SecretStr | None = None
    base_url: str | None = None
    webhook_url: str | None = None
    phone_number: str | None = None
    whatsapp_number: str | None = None
    messaging_service_sid: str | None = None
    author: Annotated[str, Field(min_length=1, max_length=256)] = "agent"
    account_name: str = ""
    shared_keys: Mapping[str, SecretStr] = Field(default_factory=dict)
    # Twilio promises no bound between accepting a message and listing it; 5 to 10 s are what practice asks for.
    settle_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    # One request a second and conversation stays far below Twilio's concurrency limits.
    poll_seconds: Annotated[float, Field(ge=0.05, le=60)] = 1.0

    @field_validator("auth_token", mode="before")
    @classmethod
    def _several_tokens(cls, value: Any) -> Any:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator(
        "base_url", "webhook_url", "phone_number", "whatsapp_number", "messaging_service_sid", mode="before"
    )
    @classmethod
    def _blank_is_unset(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("auth_token")
    @classmethod
    def _no_token_is_blank(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        # Whoever knows that there is a blank one could sign with it.
        if not all(token.get_secret_value().strip() for token in value):
            raise ValueError("a token is blank; leave it out")
        return value

    @field_validator("shared_keys")
    @classmethod
    def _no_key_is_blank(cls, value: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        if not all(name.strip() and key.get_secret_value().strip() for name, key in value.items()):
            raise ValueError("a name or a key is blank; leave it out")
        return value

    @field_validator("account_sid", "api_key", "messaging_service_sid")
    @classmethod
    def _is_sid(cls, value: str | None, info: Any) -> str | None:
        prefix = _SID_SHAPES[info.field_name]
        if value is not None and not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", value):
            raise ValueError(f"{_shape(value)} given, {prefix} and 32 hexadecimal digits expected")
        return value

    @field_validator("base_url", "webhook_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment:
            raise ValueError(f"{_shape(value)} given, http(s)://host[:port][/path] expected")
        return value.rstrip("/")

    @field_validator("phone_number", "whatsapp_number")
    @classmethod
    def _is_number(cls, value: str | None, info: Any) -> str | None:
        if value is None:
            return None
        number = value.removeprefix("whatsapp:") if info.field_name == "whatsapp_number" else value
        # A short code is a sender too: https://www.twilio.com/docs/glossary/what-is-a-short-code
        if not re.fullmatch(r"\+[1-9][0-9]{4,14}|[0-9]{3,8}", number):
            raise ValueError(f"{_shape(value)} given, a number like +15550100000 or a short code expected")
        return number

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        if (self.api_key is None) != (self.api_secret is None):
            raise ValueError("api_key and api_secret: both or neither expected")
        if not self.auth_token and self.api_key is None:
            raise ValueError("auth_token: missing; an auth_token, or an api_key with its api_secret, expected")
        return self

    @property
    def credentials(self) -> tuple[str, str]:
        """User and password of REST calls."""
        if self.api_key is not None and self.api_secret is not None:
            return self.api_key, self.api_secret.get_secret_value()
        return self.account_sid, self.auth_token[0].get_secret_value()

    @property
    def callback_url(self) -> str | None:
        """`webhook_url` where Twilio can reach it; a loopback one would make it refuse every send (21609)."""
        if self.webhook_url is None:
            return None
        local = urlsplit(self.webhook_url).hostname in {"localhost", "127.0.0.1", "::1"}
        return None if local and self.base_url is None else self.webhook_url

    @property
    def redacted(self) -> dict[str, Any]:
        """The fields that are set, secrets replaced."""
        fields = self.model_dump(exclude_none=True)
        return {name: _redacted(name, value) for name, value in fields.items()}


def _redacted(name: str, value: Any) -> Any:
    if name in _SECRETS and value:
        return REDACTED
    if name in _URLS:
        parts = urlsplit(value)
        credentials, at, host = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{REDACTED}@{host}")) if at and credentials else value
    return value


def read(config: MessagingConfig) -> TwilioConfig:
    """Validate the provider's part of a config.

    Raises:
        errors.InvalidConfig
    """
    try:
        # None is how settings say that something is not set.
        given = {name: value for name, value in config.provider_specific.items() if value is not None}
        return TwilioConfig.model_validate(given)
    except ValidationError as invalid:
        raise errors.InvalidConfig(explain(invalid), provider=config.provider) from None


def _shape(value: str) -> str:
    kinds = {"digits": str.isdigit, "letters": str.isalpha}
    kind = next((name for name, test in kinds.items() if test(value)), "characters")
    return f"{len(value)} {kind}"
