"""What this provider is configured with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from messaging import errors
from messaging.config import MessagingConfig, explain
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError


class PigeonholeConfig(BaseModel):
    """One account.

    Attributes:
        folder: Where the service keeps its letters.
        secret: What the service signs webhooks with.
        poll_seconds: Time between two looks of `receive_messages`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    folder: Path
    secret: SecretStr
    poll_seconds: Annotated[float, Field(ge=0.01, le=60)] = 1.0


def read(config: MessagingConfig) -> PigeonholeConfig:
    """Validate the provider's part of a config.

    Raises:
        errors.InvalidConfig: names each wrong field, and repeats no value.
    """
    try:
        return PigeonholeConfig.model_validate(dict(config.provider_specific))
    except ValidationError as invalid:
        raise errors.InvalidConfig(explain(invalid), provider=config.provider) from None
