"""What comes into conversations from outside: texts of phones, and words of chat users.

Inbound routing: https://www.twilio.com/docs/conversations/inbound-autocreation
"""

import mimetypes
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from simulator import events
from simulator.clock import Clock
from simulator.errors import TwilioError
from simulator.events import Events, Fields
from simulator.groups import Groups
from simulator.prehooks import Prehooks
from simulator.records import AddressConfig, ChatMessage, Conversation, Hook, Message, Participant
from simulator.sids import Sids
from simulator.store import Store
from simulator.talks import Talks


class Intake:
    def __init__(
        self,
        *,
        clock: Clock,
        sids: Sids,
        store: Store,
        emitter: Events,
        prehooks: Prehooks,
        groups: Groups,
        talks: Talks,
    ) -> None:
        self._clock = clock
        self._sids = sids
        self._store = store
        self._events = emitter
        self._prehooks = prehooks
        self._groups = groups
        self._talks = talks

    async def text(self, message: Message) -> str | None:
        """Takes an inbound text into the conversation of its address pair, or into a new one. Returns its sid; None
        when there is none, or when the product refuses."""
        source = message.channel.upper()
        try:
            conversation = self._holder(message)
            fields: dict[str, Any] = {"author": message.sender, "body": message.body}
            if conversation is not None:
                fields |= await self._ask_to_say(conversation, fields, source)
            else:
                conversation = await self._open_for(message, source)
        except TwilioError:
            return None
        if conversation is None or conversation.state == "closed" or not self._there(conversation):
            return None
        media = [self._chat_media(media) for media in message.media]
        self._talks.say(conversation, source=source, relay_of=message, media=media, **fields)
        return conversation.sid

    async def chat(self, identity: str, body: str, conversation: Conversation | None) -> ChatMessage:
        """A chat user says something, as by a Client SDK, in this conversation or in a new one.

        Raises:
            TwilioError: the product refuses.
        """
        talks = self._talks
        if conversation is None:
            service = talks.defaults.chat_service
            asked = await self._ask_to_open(service, dict, "SDK", identity)
            conversation = talks.open(source="SDK", **asked)
        fields: dict[str, Any] = {"author": identity, "body": body}
        if talks.member(conversation, identity) is None:
            described = Participant(sid="", conversation=conversation.sid, identity=identity, created=0.0, updated=0.0)
            await self._prehooks.ask(
                "onParticipantAdd",
                conversation.service,
                lambda: events.draft(events.participant_fields(described)),
                source="SDK",
                identity=identity,
            )
            talks.join(conversation, source="SDK", identity=identity)
        fields |= await self._ask_to_say(conversation, fields, "SDK", identity)
        if conversation.state == "closed" or not self._there(conversation):
            raise TwilioError(50377, "Can't update conversation as it's in final closed state")
        return talks.say(conversation, source="SDK", **fields)

    def _holder(self, message: Message) -> Conversation | None:
        """The open conversation that a text belongs to."""
        if others := message.extras.get("others"):
            return self._groups.same(frozenset({message.sender, message.recipient, *others}))
        found = self._talks.owner_of((message.sender, message.recipient))
        return found or self._groups.heard_by(message.sender, message.recipient)

    def _there(self, conversation: Conversation) -> bool:
        return conversation.sid in self._store.conversations.rows

    async def _ask_to_say(
        self, conversation: Conversation, fields: dict[str, Any], source: str, identity: str | None = None
    ) -> dict[str, str]:
        """What the product changes in words that are about to be added. Raises TwilioError when it refuses."""

        def describe() -> Fields:
            member = self._talks.member(conversation, fields["author"])
            given = {"created": 0.0, "updated": 0.0, "participant": member.sid if member else None, "index": 0} | fields
            said = ChatMessage(sid="", conversation=conversation.sid, **given)
            return events.draft(events.message_fields(said, conversation))

        ask = self._prehooks.ask
        return await ask("onMessageAdd", conversation.service, describe, source=source, identity=identity) or {}

    async def _ask_to_open(
        self, service: str, more: Callable[[], Fields], source: str, identity: str | None = None
    ) -> dict[str, str]:
        """What the product changes in a conversation that is about to be opened. Raises TwilioError when it refuses."""

        def describe() -> Fields:
            pool = self._talks.defaults["messaging_service"]
            opened = Conversation(sid="", service=service, messaging_service_sid=pool, created=0.0, updated=0.0)
            return events.draft(events.conversation_fields(opened)) | more()

        ask = self._prehooks.ask
        return await ask("onConversationAdd", service, describe, source=source, identity=identity) or {}

    async def _open_for(self, message: Message, source: str) -> Conversation | None:
        """The conversation that a text opens by itself, if its number is set up so. Raises TwilioError when the product
        refuses."""
        setup = next((a for a in self._store.address_configs.rows.values() if a.address == message.recipient), None)
        if setup is None or not setup.enabled:
            return None
        service = setup.service or self._talks.defaults.chat_service
        asked = await self._ask_to_open(
            service, lambda: events.opened_by(message) | events.first_words(message), source
        )
        # Another text of this person may have opened one meanwhile.
        return self._holder(message) or self._auto_create(message, setup, source, asked)

    def _auto_create(
        self, message: Message, setup: AddressConfig, source: str, changes: dict[str, str]
    ) -> Conversation:
        others: list[str] = message.extras.get("others", [])
        state = "initializing" if others else "active"
        conversation = self._talks.open(service=setup.service, state=state, **changes)
        now = self._clock.now()
        if setup.auto_type == "webhook" and setup.webhook_url:
            self._store.hooks.add(
                Hook(
                    sid=self._sids.new("WH"),
                    owner=conversation.sid,
                    url=setup.webhook_url,
                    method=setup.webhook_method,
                    filters=list(setup.webhook_filters),
                    created=now,
                    updated=now,
                )
            )
        fields = events.conversation_fields(conversation) | events.opened_by(message)
        self._events.emit("onConversationAdded", conversation, fields, source=source)
        if not others:
            self._talks.join(conversation, source=source, address=message.sender, proxy_address=message.recipient)
            return conversation
        self._talks.join(conversation, source=source, projected_address=message.recipient)
        for person in (message.sender, *others):
            self._talks.join(conversation, source=source, address=person)
        self._groups.provision(conversation)
        return conversation

    def _chat_media(self, media: dict[str, str]) -> dict[str, Any]:
        """A phone's attachment as a conversation shows it; of a mere URL nobody knows the size."""
        upload = self._store.uploads.get(media["sid"])
        name = (upload.filename if upload else None) or PurePosixPath(urlsplit(media["url"]).path).name
        if "." not in name:
            name = f"{name or 'media'}{mimetypes.guess_extension(media['content_type']) or ''}"
        return {**media, "filename": name, "size": upload.size if upload else 0}
