"""The provider accounts of a process."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from messaging.backend import ConversationalBackend
from messaging.errors import NetworkError
from messaging.registry import new_backend
from runtime.settings import Settings

log = structlog.get_logger(__name__)


def backends(settings: Settings, *, logged: bool = True) -> Mapping[str, ConversationalBackend]:
    """All that `MESSAGING_PROVIDERS` names, by registry name, not started. A command has no log for their operations.

    Raises:
        SettingsError, messaging.errors.ProviderNotFound, messaging.errors.InvalidConfig
    """
    common = {
        "timeout": settings.messaging_timeout,
        "max_retries": settings.messaging_max_retries,
        "retry_delay": settings.messaging_retry_delay,
        "retry_backoff": settings.messaging_retry_backoff,
        "enable_structured_logging": logged,
    }
    return {
        name: new_backend(name, **common, provider_specific=settings.provider_options(name))
        for name in settings.messaging_providers
    }


async def start(backend: ConversationalBackend) -> None:
    """Open it. A provider that is away is no reason not to start; wrong credentials are.

    Raises:
        messaging.errors.AuthenticationError, messaging.errors.InvalidConfig
    """
    try:
        await backend.start()
    except NetworkError as error:
        log.warning("provider is away; starting without it", provider=backend.name, error=error.code.value)
        await backend.start(verify=False)
