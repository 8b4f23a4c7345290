"""Fetches voice notes at the provider and has them turned into text."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from temporalio import activity

from activities import failures
from activities.heartbeat import beating
from agents.transcriber import CannotTranscribe, Transcriber
from messaging.backend import ConversationalBackend
from messaging.errors import MessagingError
from messaging.model import Media
from workflows.contracts import Heard, ListeningActivities, VoiceNotes
from workflows.inbox import Attachment

log = structlog.get_logger(__name__)


class Listening(ListeningActivities):
    """Hears what it can; what it cannot is an empty text, never a failed turn."""

    def __init__(self, backends: Mapping[str, ConversationalBackend], transcriber: Transcriber) -> None:
        self._backends = backends
        self._transcriber = transcriber

    @activity.defn(name="listen")
    async def listen(self, notes: VoiceNotes) -> Heard:
        """Raises ApplicationError when the provider is away."""
        async with beating():
            return Heard(texts=tuple([await self._heard(notes.provider, item) for item in notes.attachments]))

    async def _heard(self, provider: str, item: Attachment) -> str:
        backend = self._backends[provider]
        try:
            content = await backend.fetch_media(Media(url=item.url, content_type=item.content_type))
            return await self._transcriber.transcribe(content.data, content.content_type)
        except CannotTranscribe as cannot:
            log.warning("a voice note could not be heard", reason=cannot.reason)
        except MessagingError as error:
            if error.retryable:
                raise failures.of_provider(error, backend.get_config(), attempt=activity.info().attempt) from error
            log.warning("a voice note could not be fetched", provider=provider, error=error.code.value)
        return ""
