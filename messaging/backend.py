"""What a provider must do. `messaging.testing` holds the conformance suite that proves it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from messaging.config import MessagingConfig
from messaging.model import (
    Capabilities,
    Conversation,
    ConversationConfig,
    ConversationState,
    HealthStatus,
    InboundEvent,
    Media,
    MediaContent,
    Message,
    Page,
    Participant,
    SendProof,
    WebhookRequest,
)


@runtime_checkable
class ListsParticipants(Protocol):
    """What a provider may do besides: tell who is in a conversation."""

    async def list_participants(self, sid: str) -> tuple[Participant, ...]:
        """Everybody, our own included where the provider counts us.

        Raises:
            ConversationNotFound
        """


@runtime_checkable
class ListsInbound(Protocol):
    """What a provider may do besides: list what people wrote, for what its webhooks did not bring."""

    async def list_inbound(self, *, since: datetime, until: datetime, cursor: str | None = None) -> Page[InboundEvent]:
        """A bounded page of what came in at or after `since` and before `until`.

        Each event has the `event_key` that its webhook has, and is `received_at` when the provider got it. The events
        of a conversation are in order, and no later page has earlier ones of it. `next_cursor` holds no address.

        Raises:
            InvalidInput, NetworkError
        """

    async def claim(self, event: InboundEvent) -> InboundEvent | None:
        """The event as complete as its webhook; None where the provider would not have told us of it.

        Raises:
            NetworkError
        """


class ConversationalBackend(Protocol):
    """One provider account. All methods raise only errors of `messaging.errors`; none of them retries.

    Every method but `start`, `stop`, `handle_webhook`, `get_config` and `capabilities` raises `NotStarted` before
    `start()` and `ShutdownError` after `stop()`. Webhooks need no connection, so an endpoint can take them without one.
    """

    @property
    def name(self) -> str:
        """The provider's registry name."""

    @property
    def capabilities(self) -> Capabilities:
        """What this provider can do."""

    async def start(self, *, verify: bool = True) -> None:
        """Open the client and, unless `verify` is False, prove the credentials.

        Raises:
            InvalidConfig, AuthenticationError, NetworkError
        """

    async def stop(self) -> None:
        """Finish what is in flight and close streams and clients. Idempotent."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def create_conversation(self, config: ConversationConfig) -> Conversation:
        """Create it, or return the one that has this `unique_name`.

        Raises:
            InvalidConversation, RateLimit
        """

    async def get_conversation(self, sid: str) -> Conversation:
        """The current state, never a cached one.

        Raises:
            ConversationNotFound
        """

    async def list_conversations(
        self, *, state: ConversationState | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Conversation]:
        """One page, newest first; `cursor` is the `next_cursor` of the page before."""

    async def close_conversation(self, sid: str) -> None:
        """Close it; closing a closed one is no error.

        Raises:
            ConversationNotFound, CloseFailed
        """

    async def send_message(self, sid: str, message: Message, *, key: str | None = None) -> Message:
        """Send text, media or both. `key` is ours; it makes the send findable by `find_message`.

        Raises:
            ConversationNotFound, ConversationClosed, InvalidMessage, MessageFailed, RateLimit
            NetworkError: `ambiguous` says whether the message may have left.
        """

    async def find_message(
        self,
        sid: str,
        key: str,
        *,
        message: Message | None = None,
        since: datetime | None = None,
        known: Collection[str] = (),
    ) -> SendProof:
        """What became of a send.

        Providers that carry `key` need no more. The others compare with `message`, look only at what was created at or
        after `since`, and pass over `known`: the sids that belong to other sends.
        """

    def receive_messages(self, sid: str) -> AsyncIterator[Message]:
        """Messages of others from now on; ends when the conversation closes or the caller leaves.

        Raises:
            ConversationNotFound
        """

    async def fetch_media(self, media: Media) -> MediaContent:
        """The bytes of an attachment that a message brought, asked for at the provider only and held in memory.

        Raises:
            UnsupportedProvider: it takes no media.
            InvalidInput: not the provider's, too large, or not what it claims to be.
            NotFound: gone, or `retryable` where the provider may only not have it yet.
            NetworkError
        """

    async def add_participant(self, sid: str, participant: Participant) -> Participant:
        """Add, or return the one there is.

        Raises:
            ConversationNotFound, InvalidParticipant
        """

    async def remove_participant(self, sid: str, participant_sid: str) -> None:
        """Remove.

        Raises:
            ConversationNotFound, ParticipantNotFound
        """

    async def handle_webhook(self, request: WebhookRequest) -> list[InboundEvent]:
        """Verify, then parse. An event of an unknown kind is returned as such, never dropped.

        Raises:
            InvalidSignature: nothing was parsed.
            InvalidWebhook: names the field that is missing or wrong.
        """

    async def health_check(self) -> HealthStatus:
        """Healthy, degraded or unhealthy, with what was looked at. Never raises for a sick provider."""

    def get_config(self) -> MessagingConfig:
        """The configuration with secrets redacted."""
