"""A backend in memory: the twin that tests use, with the failures they ask for.

Ids are deterministic: the first conversation is `CH` and 32 digits that count from 1, and so on. By default nothing
fails and nothing takes time.
"""

from __future__ import annotations

import hmac
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

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
from messaging.testing.room import Room, read_event
from messaging.testing.script import Call, Script

__all__ = ["Call", "ScriptedBackend"]

CAPABILITIES = Capabilities(
    channels=frozenset(Channel) - {Channel.UNKNOWN},
    conversations=True,
    participants=True,
    outbound_media=True,
    max_body=1600,
    proves_absence=True,
    inbound_media=True,
)
SIGNATURE = "x-scripted-signature"


class ScriptedBackend:
    """An account in memory.

    Args:
        name: The provider name it answers to.
        capabilities: What it claims. Without `proves_absence`, a key that is not found stays uncertain.
        open_house: Every sid exists, as for providers whose conversations are pairs of addresses.
        secret: What `webhook` signs with.
        now: Aware UTC time.
    """

    def __init__(
        self,
        *,
        name: str = "scripted",
        capabilities: Capabilities = CAPABILITIES,
        open_house: bool = False,
        secret: str = "scripted",  # noqa: S107 - not one
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.script = Script()
        self.health = HealthStatus(status=Health.HEALTHY, last_check=now())
        self._name = name
        self._capabilities = capabilities
        self._open_house = open_house
        self._secret = secret
        self._now = now
        self._rooms: dict[str, Room] = {}
        self._media: dict[str, MediaContent] = {}
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._phase: type[errors.MessagingError] | None = errors.NotStarted

    @property
    def name(self) -> str:
        """As constructed."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """As constructed."""
        return self._capabilities

    # What tests ask and tell it.

    @property
    def calls(self) -> list[Call]:
        """Everything it was asked, in order."""
        return self.script.calls

    def messages(self, sid: str) -> tuple[Message, ...]:
        """All messages of a conversation, oldest first; none for one that is not there."""
        room = self._rooms.get(sid)
        return tuple(room.messages) if room else ()

    def deliver(self, sid: str, body: str, *, author: str = "+15550100999", channel: Channel = Channel.SMS) -> Message:
        """Let somebody write: `receive_messages` will tell."""
        room = self._room(sid, "deliver")
        return room.take(Message(body=body, channel=channel), self._sid("IM"), author, self._now())

    def attach(self, data: bytes, content_type: str) -> Media:
        """Keep an attachment: `fetch_media` will bring it."""
        sid = self._sid("ME")
        self._media[sid] = MediaContent(data=data, content_type=content_type)
        return Media(url=f"https://scripted.example/{sid}", sid=sid, content_type=content_type, size=len(data))

    def webhook(self, event_key: str, sid: str, body: str, *, author: str = "+15550100999") -> WebhookRequest:
        """A genuine webhook that reports an inbound message."""
        content = json.dumps({"event_key": event_key, "conversation_sid": sid, "body": body, "author": author})
        return self.signed(content.encode())

    def signed(self, body: bytes) -> WebhookRequest:
        """A genuine webhook, whatever is in it."""
        return WebhookRequest(
            route="messages", path="/webhooks/scripted", headers={SIGNATURE: self._sign(body)}, body=body
        )

    # The protocol.

    async def start(self, *, verify: bool = True) -> None:
        """Open it."""
        async with self.script.frame("start", verify=verify):
            if self._phase is errors.ShutdownError:
                raise errors.ShutdownError("stopped", op="start", provider=self._name)
            self._phase = None

    async def stop(self) -> None:
        """End the streams."""
        async with self.script.frame("stop"):
            self._phase = errors.ShutdownError
            for room in self._rooms.values():
                room.announce()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def create_conversation(self, config: ConversationConfig) -> Conversation:
        """Idempotent by unique name."""
        async with self._frame("create_conversation", config=config):
            for room in self._rooms.values():
                if config.unique_name and room.conversation.unique_name == config.unique_name:
                    return room.conversation
            return self._open(self._sid("CH"), config).conversation

    async def get_conversation(self, sid: str) -> Conversation:
        """As it is now."""
        async with self._frame("get_conversation", sid=sid):
            return self._room(sid, "get_conversation").conversation

    async def list_conversations(
        self, *, state: ConversationState | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Conversation]:
        """Newest first; the cursor is a position."""
        async with self._frame("list_conversations", state=state, limit=limit, cursor=cursor):
            if limit < 1:
                raise errors.InvalidInput("limit: at least 1 expected", op="list_conversations", provider=self._name)
            if cursor is not None and not cursor.isdecimal():
                raise errors.InvalidInput("cursor: not one of ours", op="list_conversations", provider=self._name)
            found = [room.conversation for room in reversed(self._rooms.values())]
            found = [item for item in found if state in {None, item.state}]
            begin = int(cursor or 0)
            end = begin + limit
            return Page(items=tuple(found[begin:end]), next_cursor=str(end) if end < len(found) else None)

    async def close_conversation(self, sid: str) -> None:
        """For good."""
        async with self._frame("close_conversation", sid=sid):
            room = self._room(sid, "close_conversation")
            room.conversation = replace(room.conversation, state=ConversationState.CLOSED, date_updated=self._now())
            room.announce()

    async def send_message(self, sid: str, message: Message, *, key: str | None = None) -> Message:
        """Keep it."""
        async with self._frame("send_message", sid=sid, message=message, key=key):
            room = self._room(sid, "send_message")
            if room.conversation.state is ConversationState.CLOSED:
                raise errors.ConversationClosed("closed", op="send_message", provider=self._name)
            if not message.body and not message.media and not message.template:
                raise errors.InvalidMessage("body: missing", op="send_message", provider=self._name)
            if len(message.body) > self._capabilities.max_body:
                raise errors.InvalidMessage("body: too long", op="send_message", provider=self._name)
            if len(message.media) > (self._capabilities.max_media if self._capabilities.outbound_media else 0):
                raise errors.InvalidMessage("media: too many", op="send_message", provider=self._name)
            return room.take(message, self._sid("IM"), message.author or "agent", self._now(), key=key)

    async def find_message(
        self,
        sid: str,
        key: str,
        *,
        message: Message | None = None,
        since: datetime | None = None,
        known: Collection[str] = (),
    ) -> SendProof:
        """By the key."""
        async with self._frame("find_message", sid=sid, key=key, message=message, since=since, known=known):
            room = self._room(sid, "find_message")
            for sent in room.messages:
                if room.keys.get(sent.sid) == key and sent.sid not in known:
                    return SendProof(outcome=SendOutcome.CONFIRMED, message=sent)
            proven = self._capabilities.proves_absence
            return SendProof(outcome=SendOutcome.ABSENT if proven else SendOutcome.UNCERTAIN)

    def receive_messages(self, sid: str) -> AsyncIterator[Message]:
        """What `deliver` brings from now on."""
        self._require_running("receive_messages")
        return self._received(sid)

    async def fetch_media(self, media: Media) -> MediaContent:
        """What `attach` kept."""
        async with self._frame("fetch_media", media=media):
            if not self._capabilities.inbound_media:
                raise errors.UnsupportedProvider("no media", op="fetch_media", provider=self._name)
            found = self._media.get(media.url.rpartition("/")[2])
            if found is None:
                raise errors.NotFound("media", op="fetch_media", provider=self._name)
            return found

    async def add_participant(self, sid: str, participant: Participant) -> Participant:
        """By identity or binding."""
        async with self._frame("add_participant", sid=sid, participant=participant):
            room = self._room(sid, "add_participant")
            if (participant.identity is None) == (participant.binding is None):
                raise errors.InvalidParticipant("identity, binding: one expected", op="add_participant")
            for present in room.participants.values():
                if (present.identity, present.binding) == (participant.identity, participant.binding):
                    return present
            added = replace(participant, sid=self._sid("MB"), conversation_sid=sid, date_created=self._now())
            room.participants[added.sid] = added
            return added

    async def remove_participant(self, sid: str, participant_sid: str) -> None:
        """Once."""
        async with self._frame("remove_participant", sid=sid, participant_sid=participant_sid):
            if self._room(sid, "remove_participant").participants.pop(participant_sid, None) is None:
                raise errors.ParticipantNotFound("participant", op="remove_participant", provider=self._name)

    async def handle_webhook(self, request: WebhookRequest) -> list[InboundEvent]:
        """What `webhook` made."""
        async with self.script.frame("handle_webhook", request=request):
            if not hmac.compare_digest(request.headers.get(SIGNATURE, "").encode(), self._sign(request.body).encode()):
                raise errors.InvalidSignature(SIGNATURE, op="handle_webhook", provider=self._name)
            try:
                return [read_event(json.loads(request.body), self._name, self._now())]
            except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as unread:
                raise errors.InvalidWebhook(
                    f"body: {type(unread).__name__}", op="handle_webhook", provider=self._name
                ) from None

    async def health_check(self) -> HealthStatus:
        """`health`, which tests may set; unhealthy while it does not run."""
        async with self.script.frame("health_check"):
            return self.health if self._phase is None else replace(self.health, status=Health.UNHEALTHY)

    def get_config(self) -> MessagingConfig:
        """The defaults."""
        return MessagingConfig(provider=self._name)

    def _frame(self, operation: str, **arguments: Any) -> Any:
        self._require_running(operation)
        return self.script.frame(operation, **arguments)

    def _require_running(self, operation: str) -> None:
        if self._phase is not None:
            raise self._phase("not running", op=operation, provider=self._name)

    def _room(self, sid: str, operation: str) -> Room:
        if sid not in self._rooms and self._open_house:
            self._open(sid, ConversationConfig())
        if sid not in self._rooms:
            raise errors.ConversationNotFound("conversation", op=operation, provider=self._name)
        return self._rooms[sid]

    def _open(self, sid: str, config: ConversationConfig) -> Room:
        return self._rooms.setdefault(sid, Room.open(sid, config, self._now()))

    async def _received(self, sid: str) -> AsyncIterator[Message]:
        async with self._frame("receive_messages", sid=sid):
            room = self._room(sid, "receive_messages")
        told = len(room.messages)
        while True:
            changed = room.changed
            fresh, told = room.messages[told:], len(room.messages)
            for message in fresh:
                if message.author.startswith("+"):
                    yield message
            if room.conversation.state is ConversationState.CLOSED or self._phase is not None:
                return
            if told == len(room.messages):
                await changed.wait()

    def _sign(self, raw: bytes) -> str:
        return hmac.new(self._secret.encode(), raw, "sha256").hexdigest()

    def _sid(self, prefix: str) -> str:
        self._counts[prefix] += 1
        return f"{prefix}{self._counts[prefix]:032x}"
