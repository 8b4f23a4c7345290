"""Twilio, by its two products: Conversations (`twilio`) and Programmable Messaging (`twilio_messaging`).

The factories import late: naming the provider must not load an HTTP client, and webhooks need none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from messaging.config import MessagingConfig
from messaging.model import Capabilities

if TYPE_CHECKING:
    from messaging.providers.twilio.conversations import ConversationsBackend
    from messaging.providers.twilio.lifecycle import TwilioBackend
    from messaging.providers.twilio.programmable import MessagingBackend

B = TypeVar("B", bound="TwilioBackend")


class Factory(Generic[B]):
    """Builds one product's backend, and says what it can do before there are credentials."""

    def __init__(self, load: Callable[[], type[B]]) -> None:
        self._load = load

    def __call__(self, config: MessagingConfig) -> B:
        """Build it.

        Raises:
            errors.InvalidConfig
        """
        return self._load()(config)

    @property
    def CAPABILITIES(self) -> Capabilities:  # noqa: N802 - as the classes themselves have it
        """The backend's."""
        return self._load().CAPABILITIES


def _conversations() -> type[ConversationsBackend]:
    from messaging.providers.twilio.conversations import ConversationsBackend  # noqa: PLC0415 - late, see above

    return ConversationsBackend


def _messaging() -> type[MessagingBackend]:
    from messaging.providers.twilio.programmable import MessagingBackend  # noqa: PLC0415 - late, see above

    return MessagingBackend


conversations_backend = Factory(_conversations)
"""Builds the backend `twilio`."""

messaging_backend = Factory(_messaging)
"""Builds the backend `twilio_messaging`."""
