"""What people attached, fetched for those who look: by the provider that holds it, for nobody else has its address."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from messaging.backend import ConversationalBackend
from messaging.errors import NotFound
from messaging.model import Media, MediaContent
from workflows.inbox import Attachment

# Each may have 16 MB, which are held in memory.
_AT_ONCE = 4


@dataclass(slots=True)
class Attachments:
    """Opens a backend when the first attachment of its is asked for; its credentials are proven by that call itself."""

    backends: Mapping[str, ConversationalBackend]
    _open: set[str] = field(default_factory=set)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def fetch(self, provider: str, attachment: Attachment) -> MediaContent:
        """Its bytes.

        Raises:
            messaging.errors.MessagingError: among them NotFound, where no such provider is served here.
        """
        backend = await self._backend(provider)
        async with self._room:
            return await backend.fetch_media(Media(url=attachment.url, content_type=attachment.content_type))

    async def aclose(self) -> None:
        """Close what was opened."""
        for provider in self._open:
            await self.backends[provider].stop()

    async def _backend(self, provider: str) -> ConversationalBackend:
        backend = self.backends.get(provider)
        if backend is None:
            raise NotFound("this process does not serve the provider", provider=provider)
        async with self._opening:
            if provider not in self._open:
                await backend.start(verify=False)
                self._open.add(provider)
        return backend
