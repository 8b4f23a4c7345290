"""Twilio, by its two products: Conversations (`twilio`) and Programmable Messaging (`twilio_messaging`).

The factories import late: naming the provider must not load an HTTP client, and webhooks need none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from messaging.config import MessagingConfig

if TYPE_CHECKING:
    from messaging.providers.twilio.conversations import ConversationsBackend
    from messaging.providers.twilio.programmable import MessagingBackend


def conversations_backend(config: MessagingConfig) -> ConversationsBackend:
    """Build the backend `twilio`.

    Raises:
        errors.InvalidConfig
    """
    from messaging.providers.twilio.conversations import ConversationsBackend  # noqa: PLC0415 - late, see above

    return ConversationsBackend(config)


def messaging_backend(config: MessagingConfig) -> MessagingBackend:
    """Build the backend `twilio_messaging`.

    Raises:
        errors.InvalidConfig
    """
    from messaging.providers.twilio.programmable import MessagingBackend  # noqa: PLC0415 - late, see above

    return MessagingBackend(config)
