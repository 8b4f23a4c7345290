"""The provider. It holds no spans, metrics, logs or retries: those are around it, the same for every provider."""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, datetime
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from messaging import errors
from messaging.config import MessagingConfig
from messaging.model import (
    Capabilities,
    Channel,
    Conversation,
    ConversationConfig,
    ConversationState,
    Health,
    HealthStatus,
    InboundEvent,
    Media,
    MediaContent,
    Message,
    Page,
    Participant,
    SendOutcome,
    SendProof,
    WebhookRequest,
)

from pigeonhole import config as pigeonhole_config
from pigeonhole import translation, webhooks
from pigeonhole.letters import Letters

T = TypeVar("T")

_SID = re.compile(r"PH[0-9a-f]{32}")


class PigeonholeBackend:
    """One account of Pigeonhole."""

    CAPABILITIES = Capabilities(
        channels=frozenset({Channel.CHAT}),
        conversations=True,
        participants=False,
        outbound_media=False,
        max_body=4000,
        proves_absence=True,
        inbound_media=False,
    )

    def __init__(self, config: MessagingConfig) -> None:
        self._config = config
        self._own = pigeonhole_config.read(config)
        self._letters = Letters(self._own.folder)
        # What a call is refused with, if it is.
        self._refusal: type[errors.MessagingError] | None = errors.NotStarted
        self._stopping = asyncio.Event()

    @property
    def name(self) -> str:
        """The registry name."""
        return self._config.provider

    @property
    def capabilities(self) -> Capabilities:
        """What Pigeonhole can do."""
        return self.CAPABILITIES

    async def start(self, *, verify: bool = True) -> None:
        """Prove that the folder can be used.

        Raises:
            errors.NetworkError, errors.ShutdownError
        """
        if self._refusal is errors.ShutdownError:
            raise errors.ShutdownError("stopped", op="start", provider=self.name)
        self._refusal = None
        if verify:
            try:
                await self._ask("start", self._letters.prepare)
            except errors.MessagingError:
                self._refusal = errors.NotStarted
                raise

    async def stop(self) -> None:
        """End the streams. Nothing is in flight for longer than a file is written."""
        self._refusal = errors.ShutdownError
        self._stopping.set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def health_check(self) -> HealthStatus:
        """One cheap read. A sick provider is told, not raised."""
        checked = datetime.now(UTC)
        try:
            await self._ask("health_check", self._letters.conversations)
        except errors.MessagingError as failure:
            return HealthStatus(status=Health.UNHEALTHY, last_check=checked, errors=(str(failure),))
        return HealthStatus(status=Health.HEALTHY, last_check=checked)

    def get_config(self) -> MessagingConfig:
        """The configuration; pydantic shows a SecretStr as stars."""
        return self._config.model_copy(update={"provider_specific": self._own.model_dump(mode="json")})

    async def create_conversation(self, config: ConversationConfig) -> Conversation:
        """Create it. The same unique name makes the same sid, so a repetition finds what it made.

        Raises:
            errors.NetworkError
        """
        name = config.unique_name
        digits = hashlib.sha256(name.encode()).hexdigest()[:32] if name else uuid.uuid4().hex
        record = {
            "sid": f"PH{digits}",
            "title": config.friendly_name,
            "name": name,
            "state": "open",
            "created": datetime.now(UTC).isoformat(),
            "attributes": dict(config.attributes),
        }
        return translation.conversation(await self._ask("create_conversation", self._letters.create, record))

    async def get_conversation(self, sid: str) -> Conversation:
        """Fetch it.

        Raises:
            errors.ConversationNotFound
        """
        return translation.conversation(
            await self._ask("get_conversation", self._letters.read, self._known("get_conversation", sid))
        )

    async def list_conversations(
        self, *, state: ConversationState | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Conversation]:
        """One page, newest first; the cursor is a position.

        Raises:
            errors.InvalidInput
        """
        if limit < 1 or not (cursor or "0").isdecimal():
            raise errors.InvalidInput("limit, cursor: out of range", op="list_conversations", provider=self.name)
        records = await self._ask("list_conversations", self._letters.conversations)
        found = [translation.conversation(record) for record in records]
        found = [item for item in found if state in {None, item.state}]
        begin = int(cursor or 0)
        end = begin + limit
        return Page(items=tuple(found[begin:end]), next_cursor=str(end) if end < len(found) else None)

    async def close_conversation(self, sid: str) -> None:
        """Seal it; sealing it again changes nothing.

        Raises:
            errors.ConversationNotFound
        """
        record = await self._ask("close_conversation", self._letters.read, self._known("close_conversation", sid))
        await self._ask("close_conversation", self._letters.save, {**record, "state": "sealed"})

    async def send_message(self, sid: str, message: Message, *, key: str | None = None) -> Message:
        """Post a letter, with our key in it.

        Raises:
            errors.ConversationNotFound, errors.ConversationClosed, errors.InvalidMessage
            errors.NetworkError: ambiguous, once the letter may have been written.
        """
        if message.media or not 0 < len(message.body) <= self.CAPABILITIES.max_body:
            self._require_running("send_message")
            raise errors.InvalidMessage(
                f"body: 1 to {self.CAPABILITIES.max_body} characters and no media expected",
                op="send_message",
                provider=self.name,
            )
        record = await self._ask("send_message", self._letters.read, self._known("send_message", sid))
        if translation.conversation(record).state is ConversationState.CLOSED:
            raise errors.ConversationClosed("sealed", op="send_message", provider=self.name)
        letter = {
            "sid": uuid.uuid4().hex,
            "from": message.author or translation.US,
            "text": message.body,
            "posted": datetime.now(UTC).isoformat(),
            # One of ours always has a key: it is how it is known when it comes back.
            "key": key or uuid.uuid4().hex,
        }
        posted = await self._ask("send_message", self._letters.post, sid, letter, writes=True)
        return translation.message(posted, sid)

    async def find_message(
        self,
        sid: str,
        key: str,
        *,
        message: Message | None = None,
        since: datetime | None = None,
        known: Collection[str] = (),
    ) -> SendProof:
        """Look for the key. A folder knows at once what it holds, so an absence is proof.

        Raises:
            errors.ConversationNotFound
        """
        del message, since, known  # for services that cannot carry a key
        for letter in await self._ask("find_message", self._letters.letters, self._known("find_message", sid)):
            if letter.get("key") == key:
                return SendProof(outcome=SendOutcome.CONFIRMED, message=translation.message(letter, sid))
        return SendProof(outcome=SendOutcome.ABSENT)

    async def receive_messages(self, sid: str) -> AsyncIterator[Message]:
        """Letters of others from now on, by looking at intervals.

        Raises:
            errors.ConversationNotFound
        """
        told = len(await self._ask("receive_messages", self._letters.letters, self._known("receive_messages", sid)))
        while await self._pause():
            letters = await self._ask("receive_messages", self._letters.letters, sid)
            for letter in letters[told:]:
                if not letter.get("key"):
                    yield translation.message(letter, sid)
            told = len(letters)
            if (await self.get_conversation(sid)).state is ConversationState.CLOSED:
                return

    async def fetch_media(self, media: Media) -> MediaContent:
        """Letters hold no media.

        Raises:
            errors.UnsupportedProvider
        """
        del media
        self._refuse("fetch_media", "letters hold no media")

    async def add_participant(self, sid: str, participant: Participant) -> Participant:
        """Whoever knows a sid may write to it.

        Raises:
            errors.UnsupportedProvider
        """
        del sid, participant
        self._refuse("add_participant", "conversations have no list of participants")

    async def remove_participant(self, sid: str, participant_sid: str) -> None:
        """As `add_participant`.

        Raises:
            errors.UnsupportedProvider
        """
        del sid, participant_sid
        self._refuse("remove_participant", "conversations have no list of participants")

    async def handle_webhook(self, request: WebhookRequest) -> list[InboundEvent]:
        """Verify, then parse. Works before `start()`: an endpoint needs no connection.

        Raises:
            errors.InvalidSignature, errors.InvalidWebhook
        """
        return [webhooks.read(request, self._own.secret.get_secret_value(), self.name)]

    async def _ask(self, op: str, call: Callable[..., T], *arguments: object, writes: bool = False) -> T:
        """The frame of every call to the service: the one place where its errors become ours.

        Args:
            writes: A failure leaves it open whether it happened, and repeating it would do it twice.
        """
        self._require_running(op)
        try:
            return await asyncio.to_thread(call, *arguments)
        except FileNotFoundError:
            raise errors.ConversationNotFound("sid: no such conversation", op=op, provider=self.name) from None
        except OSError as failure:
            raise errors.NetworkError(
                type(failure).__name__, op=op, provider=self.name, retryable=not writes, ambiguous=writes
            ) from None
        except ValueError:
            raise errors.InternalError("what the service keeps cannot be read", op=op, provider=self.name) from None

    def _require_running(self, op: str) -> None:
        if self._refusal is not None:
            raise self._refusal("not running", op=op, provider=self.name)

    def _refuse(self, op: str, why: str) -> NoReturn:
        self._require_running(op)
        raise errors.UnsupportedProvider(why, op=op, provider=self.name)

    def _known(self, op: str, sid: str) -> str:
        """A sid that is safe in a path; what cannot be one does not exist."""
        self._require_running(op)
        if not _SID.fullmatch(sid):
            raise errors.ConversationNotFound("sid: not a sid", op=op, provider=self.name)
        return sid

    async def _pause(self) -> bool:
        """Wait for the next look of a stream; False when the backend stops."""
        try:
            await asyncio.wait_for(self._stopping.wait(), self._own.poll_seconds)
        except TimeoutError:
            return True
        return False
