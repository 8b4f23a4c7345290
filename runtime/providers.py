"""The provider accounts of a process."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from messaging.backend import ConversationalBackend
from messaging.errors import NetworkError
from messaging.registry import new_backend
from runtime.settings import Settings

log = structlog.get_logger(__name__)

# Both are up at once: what comes in by one is answered by the same.
NAMES = ("twilio", "twilio_messaging")


def backends(settings: Settings) -> Mapping[str, ConversationalBackend]:
    """All of them by registry name, not started.

    Raises:
        SettingsError, messaging.errors.InvalidConfig
    """
    options = settings.provider_options()
    return {name: new_backend(name, timeout=settings.messaging_timeout, **options) for name in NAMES}


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
