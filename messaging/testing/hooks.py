"""What the conformance suite asks of the test of a provider: how to do what only its service can do."""

from __future__ import annotations

import base64
import uuid
from dataclasses import replace

import pytest

from messaging.backend import ConversationalBackend
from messaging.model import ConversationConfig, Media, Participant, WebhookRequest

# The smallest PNG there is: one transparent pixel.
_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class ConformanceHooks:
    """Override what your service does in another way. Only `backend` has no default."""

    @pytest.fixture
    def backend(self) -> ConversationalBackend:
        """A backend that is not started."""
        raise NotImplementedError

    async def open_sid(self, backend: ConversationalBackend) -> str:
        """A conversation that takes messages."""
        return (await backend.create_conversation(ConversationConfig(friendly_name="conformance"))).sid

    def missing_sid(self) -> str:
        """A sid of the right form that no conversation has; one of a wrong form where every right one exists."""
        return "CH" + uuid.uuid4().hex

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return ()

    def webhook(self) -> WebhookRequest | None:
        """A genuine webhook; None skips its tests."""
        return None

    def forged(self, request: WebhookRequest) -> WebhookRequest:
        """The same with something else in it, under the old signature."""
        return replace(request, body=request.body + b"&Body=else")

    def nonsense(self) -> tuple[WebhookRequest, ...] | None:
        """Webhooks that are signed as they should be, and whose content nobody can read; None skips their test."""
        return None

    def tick(self) -> float:
        """Seconds by which the service tells two messages apart in time, where it has nothing but the time."""
        return 0.0

    async def write_as_person(self, backend: ConversationalBackend, sid: str, body: str) -> bool:
        """Let somebody write into the conversation; False skips the tests of receiving."""
        del backend, sid, body
        return False

    def to_attach(self, backend: ConversationalBackend) -> Media:
        """A small picture that the service takes, as `Capabilities.uploads_media` says it wants it."""
        if backend.capabilities.uploads_media:
            return Media(data=_PIXEL, content_type="image/png", filename="pixel.png")
        return Media(url="https://shop.example/pixel.png", content_type="image/png", size=len(_PIXEL))

    def bound(self) -> Participant | None:
        """Somebody who is reached by an address, and by no other test; None skips the test of bindings."""
        return None

    async def attached(self, backend: ConversationalBackend) -> tuple[Media, bytes] | None:
        """An attachment as a message brought it, and its bytes; None skips the tests of fetching."""
        del backend
        return None
