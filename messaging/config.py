"""How a backend is configured, and the ranges that are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from messaging import errors


class MessagingConfig(BaseModel):
    """What every provider understands. Times are in seconds.

    `max_retries`, `retry_delay` and `retry_backoff` are for whoever calls (`messaging.retry`): backends never retry.
    `max_retries` None leaves the end to a bound in time of the caller's own. `provider_specific` is validated by the
    provider.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    provider: Annotated[str, Field(min_length=1)]
    timeout: Annotated[float, Field(ge=1, le=300)] = 30.0
    max_retries: Annotated[int, Field(ge=0, le=10)] | None = 3
    retry_delay: Annotated[float, Field(ge=0.1, le=30)] = 1.0
    retry_backoff: Annotated[float, Field(ge=1, le=5)] = 2.0
    enable_tracing: bool = True
    enable_metrics: bool = True
    enable_structured_logging: bool = True
    provider_specific: Mapping[str, Any] = Field(default_factory=dict, repr=False)


def new_config(provider: str, **options: Any) -> MessagingConfig:
    """Build a config from keyword arguments.

    Raises:
        errors.InvalidConfig: names each wrong field and what is allowed; no value is repeated, it might be a secret.
    """
    try:
        return MessagingConfig(provider=provider, **options)
    except ValidationError as invalid:
        raise errors.InvalidConfig(explain(invalid)) from None


def explain(invalid: ValidationError) -> str:
    """Name each wrong field and what is allowed, without repeating the value given."""
    wrong = invalid.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'value'}: {e['msg']}" for e in wrong)
