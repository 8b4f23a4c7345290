"""Any backend, observed: providers hold no spans, metrics or logs of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from opentelemetry.metrics import Meter
from opentelemetry.trace import SpanKind, Tracer

from messaging import errors
from messaging.backend import ConversationalBackend, ListsInbound, ListsParticipants
from messaging.config import MessagingConfig
from messaging.model import (
    Capabilities,
    Channel,
    Conversation,
    ConversationConfig,
    ConversationState,
    EventKind,
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
from messaging.observation import Observer
from messaging.soundness import require_sound

# What was made longer ago was there before it was asked for; clocks may differ by less.
_AGO = timedelta(minutes=1)


class InstrumentedBackend:
    """A backend that tells what it does.

    Args:
        backend: The one that does it. Its config says which of tracing, metrics and logging are on.
        tracer: By default the process's.
        meter: By default the process's.
    """

    def __init__(
        self, backend: ConversationalBackend, *, tracer: Tracer | None = None, meter: Meter | None = None
    ) -> None:
        self._backend = backend
        self._observer = Observer(backend.name, backend.get_config(), tracer=tracer, meter=meter)

    @property
    def name(self) -> str:
        """The wrapped backend's."""
        return self._backend.name

    @property
    def capabilities(self) -> Capabilities:
        """The wrapped backend's."""
        return self._backend.capabilities

    @property
    def wrapped(self) -> ConversationalBackend:
        """The backend itself."""
        return self._backend

    async def start(self, *, verify: bool = True) -> None:
        """See `ConversationalBackend`, as for all that follow."""
        with self._observer.operation("start"):
            await self._backend.start(verify=verify)

    async def stop(self) -> None:
        with self._observer.operation("stop"):
            await self._backend.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def create_conversation(self, config: ConversationConfig) -> Conversation:
        asked = datetime.now(UTC)
        with self._observer.operation("create_conversation") as operation:
            created = await self._backend.create_conversation(config)
            operation.about(conversation_sid=created.sid)
        # The same unique name again is the conversation there is.
        if created.date_created is None or created.date_created > asked - _AGO:
            self._observer.count("conversations", operation, thing=created.sid)
        return created

    async def get_conversation(self, sid: str) -> Conversation:
        with self._observer.operation("get_conversation", conversation_sid=sid):
            return await self._backend.get_conversation(sid)

    async def list_conversations(
        self, *, state: ConversationState | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Conversation]:
        with self._observer.operation("list_conversations"):
            return await self._backend.list_conversations(state=state, limit=limit, cursor=cursor)

    async def close_conversation(self, sid: str) -> None:
        with self._observer.operation("close_conversation", conversation_sid=sid):
            await self._backend.close_conversation(sid)

    async def send_message(self, sid: str, message: Message, *, key: str | None = None) -> Message:
        with self._observer.operation("send_message", conversation_sid=sid) as operation:
            sent = await self._backend.send_message(sid, message, key=key)
            operation.about(channel=sent.channel, message_sid=sent.sid)
        self._observer.count("messages", operation)
        if self._observer.instruments:
            labels = {"provider": self.name, "channel": operation.channel.value}
            self._observer.instruments.message_duration.record(operation.seconds, labels)
        return sent

    async def find_message(
        self,
        sid: str,
        key: str,
        *,
        message: Message | None = None,
        since: datetime | None = None,
        known: Collection[str] = (),
    ) -> SendProof:
        with self._observer.operation("find_message", conversation_sid=sid) as operation:
            proof = await self._backend.find_message(sid, key, message=message, since=since, known=known)
            operation.span.set_attribute("outcome", proof.outcome.value)
            operation.about(message_sid=proof.message.sid if proof.message else None)
            return proof

    def receive_messages(self, sid: str) -> AsyncIterator[Message]:
        return self._received(sid, self._backend.receive_messages(sid))

    async def fetch_media(self, media: Media) -> MediaContent:
        with self._observer.operation("fetch_media"):
            return await self._backend.fetch_media(media)

    async def add_participant(self, sid: str, participant: Participant) -> Participant:
        with self._observer.operation("add_participant", conversation_sid=sid) as operation:
            added = await self._backend.add_participant(sid, participant)
            operation.about(channel=added.binding.type if added.binding else Channel.CHAT)
        self._observer.count("participants", operation, thing=added.sid)
        return added

    async def list_participants(self, sid: str) -> tuple[Participant, ...]:
        """Raises UnsupportedProvider where the provider does not tell."""
        with self._observer.operation("list_participants", conversation_sid=sid):
            if not isinstance(self._backend, ListsParticipants):
                raise errors.UnsupportedProvider(
                    "who is in a conversation is not told", op="list_participants", provider=self.name
                )
            return await self._backend.list_participants(sid)

    async def list_inbound(self, *, since: datetime, until: datetime, cursor: str | None = None) -> Page[InboundEvent]:
        """Raises UnsupportedProvider where the provider keeps no list, which its capabilities tell."""
        with self._observer.operation("list_inbound"):
            return await self._listing("list_inbound").list_inbound(since=since, until=until, cursor=cursor)

    async def claim(self, event: InboundEvent) -> InboundEvent | None:
        with self._observer.operation("claim"):
            return await self._listing("claim").claim(event)

    def _listing(self, op: str) -> ListsInbound:
        if not isinstance(self._backend, ListsInbound):
            raise errors.UnsupportedProvider("what came in is not listed", op=op, provider=self.name)
        return self._backend

    async def remove_participant(self, sid: str, participant_sid: str) -> None:
        with self._observer.operation("remove_participant", conversation_sid=sid) as operation:
            await self._backend.remove_participant(sid, participant_sid)
        self._observer.count("participants", operation)

    async def handle_webhook(self, request: WebhookRequest) -> list[InboundEvent]:
        events: list[InboundEvent] = []
        success = False
        with self._observer.operation("handle_webhook", kind=SpanKind.INTERNAL) as operation:
            try:
                events = await self._read(request)
                success = True
            finally:
                self._observer.webhook(operation, [event.kind for event in events], success=success)
            for event in events:
                message = event.message
                operation.about(
                    channel=message.channel if message else None,
                    conversation_sid=event.conversation_sid,
                    message_sid=message.sid if message else event.delivery.message_sid if event.delivery else None,
                )
                if event.kind is EventKind.MESSAGE_ADDED and not event.echo:
                    self._observer.count("messages", operation, thing=event.event_key)
        return events

    async def _read(self, request: WebhookRequest) -> list[InboundEvent]:
        """What a provider cannot read, or reads as nonsense, is the sender's fault, not ours."""
        try:
            events = await self._backend.handle_webhook(request)
        except errors.MessagingError:
            raise
        except Exception as unread:  # noqa: BLE001 - code of others, over what anybody may send
            self._observer.tell_bug("handle_webhook", unread)
            raise errors.InvalidWebhook(
                f"body: cannot be read ({type(unread).__name__})", op="handle_webhook", provider=self.name
            ) from None
        for event in events:
            try:
                require_sound(event)
            except errors.InvalidWebhook as unsound:
                unsound.op, unsound.provider = "handle_webhook", self.name
                raise
        return events

    async def health_check(self) -> HealthStatus:
        with self._observer.operation("health_check") as operation:
            health = await self._backend.health_check()
            operation.span.set_attribute("health", health.status.value)
            return health

    def get_config(self) -> MessagingConfig:
        return self._backend.get_config()

    async def _received(self, sid: str, stream: AsyncIterator[Message]) -> AsyncIterator[Message]:
        with self._observer.stream("receive_messages", conversation_sid=sid) as operation:
            try:
                async for message in stream:
                    operation.about(channel=message.channel)
                    self._observer.count("messages", operation)
                    yield message
            finally:
                close = getattr(stream, "aclose", None)
                if close is not None:
                    await close()
