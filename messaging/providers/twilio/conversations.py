"""The backend `twilio`: Conversations v1. The provider keeps conversation, people and order; our key rides on messages.

https://www.twilio.com/docs/conversations/api
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from messaging import errors
from messaging.diagnosis import Finding
from messaging.model import (
    Binding,
    Capabilities,
    Channel,
    Conversation,
    ConversationConfig,
    ConversationState,
    InboundEvent,
    Media,
    MediaContent,
    Message,
    Page,
    Participant,
    SendOutcome,
    SendProof,
)
from messaging.providers.twilio import conversation_log, conversation_requests, resources
from messaging.providers.twilio.lifecycle import TwilioBackend, instant, path_part, require_period
from messaging.providers.twilio.vocabulary import KEY_ATTRIBUTE
from messaging.providers.twilio.webhooks import CONVERSATIONS_ROUTES, Parser
from messaging.providers.twilio.written import WRITTEN

_MAX_PAGE = 100  # the same for every list of Conversations
# 300 newer messages in one conversation since the send that we look for: no longer a look, but a search.
_MAX_LOOKS = 3
_PARTICIPANT_PAGES = 10  # times 100: the most participants a conversation can have
# Twilio's dates have whole seconds, and its clock need not agree with ours.
_SKEW = timedelta(seconds=60)

_NAME_TAKEN = 50353
_HERE_ALREADY = frozenset({50404, 50416, 50433, 50437})
_CONFLICT = 409


class ConversationsBackend(TwilioBackend):
    """One account's conversations."""

    NAME = "twilio"
    ROUTES: ClassVar[Mapping[str, Parser]] = CONVERSATIONS_ROUTES
    # An event that nobody has a word for.
    PROBE = (
        conversation_log.CONVERSATIONS_PATH,
        {"EventType": "onDoctorLooked", "ConversationSid": f"CH{'0' * 32}"},
    )
    CAPABILITIES = Capabilities(
        channels=frozenset({Channel.SMS, Channel.MMS, Channel.WHATSAPP, Channel.RCS, Channel.CHAT}),
        conversations=True,
        participants=True,
        outbound_media=True,
        max_body=conversation_requests.MAX_BODY,
        proves_absence=True,
        inbound_media=True,
        uploads_media=True,
        max_media=conversation_requests.MAX_MEDIA,
        lists_inbound=True,
    )

    async def create_conversation(self, config: ConversationConfig) -> Conversation:
        """Create it, or fetch the one of this unique name.

        Raises:
            errors.InvalidConversation, errors.RateLimit
        """
        async with self._calling("create_conversation", repeatable=bool(config.unique_name)) as conversations:
            wanted = conversation_requests.conversation(config, self._twilio.messaging_service_sid)
            try:
                made = await conversations.create_async(**wanted)
            except errors.InvalidInput as refused:
                if not config.unique_name or not _conflicts(refused, {_NAME_TAKEN}):
                    raise
                made = await conversations(quote(config.unique_name, safe="")).fetch_async()
            return resources.conversation(made)

    async def get_conversation(self, sid: str) -> Conversation:
        """Fetch it.

        Raises:
            errors.ConversationNotFound
        """
        async with self._conversation("get_conversation", sid, repeatable=True) as conversation:
            return resources.conversation(await conversation.fetch_async())

    async def list_conversations(
        self, *, state: ConversationState | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Conversation]:
        """One page in Twilio's order, which is newest first.

        Raises:
            errors.InvalidInput
        """
        async with self._calling("list_conversations", repeatable=True) as conversations:
            if limit < 1:
                raise errors.InvalidInput("limit: at least 1 expected")
            options = {"page_size": min(limit, _MAX_PAGE), **resources.page_options(cursor)}
            if state is not None:
                options["state"] = state.value
            page = await conversations.page_async(**options)
            items = tuple(resources.conversation(item) for item in page)
            return Page(items=items, next_cursor=resources.cursor(page.next_page_url))

    async def close_conversation(self, sid: str) -> None:
        """Close it for good.

        Raises:
            errors.ConversationNotFound, errors.CloseFailed
        """
        async with self._conversation("close_conversation", sid, repeatable=True) as conversation:
            try:
                await conversation.update_async(state=ConversationState.CLOSED.value)
            except errors.ConversationClosed:
                return
            except (errors.InvalidInput, errors.ConversationFailed) as refused:
                raise errors.CloseFailed(
                    refused.message,
                    provider_code=refused.provider_code,
                    status=refused.status,
                    retryable=refused.retryable,
                    category=refused.category,
                ) from None

    async def send_message(self, sid: str, message: Message, *, key: str | None = None) -> Message:
        """Send it as our author, unless it names one. What is attached is uploaded first, unless it has a sid.

        Raises:
            errors.ConversationNotFound, errors.ConversationClosed, errors.InvalidMessage, errors.RateLimit
            errors.NetworkError
        """
        async with self._conversation("send_message", sid) as conversation:
            conversation_requests.require_message(message)
            media_sid = await self._uploaded(message.media[0]) if message.media and not message.template else None
            author = message.author or self._twilio.author
            wanted = conversation_requests.message(message, key, author=author, media_sid=media_sid)
            return resources.conversation_message(await conversation.messages.create_async(**wanted))

    async def find_message(
        self,
        sid: str,
        key: str,
        *,
        message: Message | None = None,
        since: datetime | None = None,
        known: Collection[str] = (),
    ) -> SendProof:
        """Look for the key, newest first. With `since`, an absence younger than the settling time is no proof yet.

        Raises:
            errors.ConversationNotFound
        """
        del message, known  # the key says it all
        options: dict[str, Any] = {"order": "desc", "page_size": _MAX_PAGE}
        async with self._conversation("find_message", sid, repeatable=True) as conversation:
            since = since and instant(since)
            for _ in range(_MAX_LOOKS):
                page = await conversation.messages.page_async(**options)
                items = [resources.conversation_message(item) for item in page]
                for item in items:
                    if item.attributes.get(KEY_ATTRIBUTE) == key:
                        return SendProof(outcome=SendOutcome.CONFIRMED, message=item)
                cursor = resources.cursor(page.next_page_url)
                if cursor is None or _reaches(items, since):
                    return SendProof(outcome=self._absence(since))
                options.update(resources.page_options(cursor))
        return SendProof(outcome=SendOutcome.UNCERTAIN)

    def receive_messages(self, sid: str) -> AsyncIterator[Message]:
        """Messages of others, from the first step of the iteration on, by looking at intervals.

        Raises:
            errors.ConversationNotFound
        """
        self._require_running("receive_messages")
        return self._stream(self._received(sid))

    async def add_participant(self, sid: str, participant: Participant) -> Participant:
        """Add by identity or binding, or return the one there is.

        Raises:
            errors.ConversationNotFound, errors.InvalidParticipant
        """
        async with self._conversation("add_participant", sid, repeatable=True) as conversation:
            wanted = conversation_requests.participant(participant)
            try:
                return resources.participant(await conversation.participants.create_async(**wanted))
            except errors.InvalidInput as refused:
                if not _conflicts(refused, _HERE_ALREADY):
                    raise
                present = await self._present(conversation, participant)
                if present is None:
                    raise
                return present

    async def list_participants(self, sid: str) -> tuple[Participant, ...]:
        """Everybody in it, in the order in which they came.

        Raises:
            errors.ConversationNotFound
        """
        async with self._conversation("list_participants", sid, repeatable=True) as conversation:
            return tuple([item async for item in self._participants(conversation)])

    async def remove_participant(self, sid: str, participant_sid: str) -> None:
        """Remove.

        Raises:
            errors.ConversationNotFound, errors.ParticipantNotFound
        """
        async with self._conversation("remove_participant", sid, repeatable=True) as conversation:
            part = path_part(participant_sid, errors.ParticipantNotFound)
            try:
                await conversation.participants(part).delete_async()
            except (errors.ConversationNotFound, errors.ParticipantNotFound):
                raise
            except errors.NotFound as missing:
                await conversation.fetch_async()  # of the two in the path, is it the conversation that is missing?
                raise errors.ParticipantNotFound(missing.message, status=missing.status) from None

    async def list_inbound(self, *, since: datetime, until: datetime, cursor: str | None = None) -> Page[InboundEvent]:
        """What participants wrote, by pages of conversations.

        Raises:
            errors.InvalidInput, errors.NetworkError
        """
        async with self._calling("list_inbound", repeatable=True) as conversations:
            require_period(since, until)
            return await conversation_log.listed(conversations, self._twilio, self.NAME, since, until, cursor)

    async def claim(self, event: InboundEvent) -> InboundEvent | None:
        """The message; None where no webhook of ours is told of the conversation's messages.

        Raises:
            errors.NetworkError
        """
        sid = event.conversation_sid
        async with self._calling("claim", sid=sid, repeatable=True):
            if await self._remembered("", partial(conversation_log.claims_account, self._client, self._twilio)):
                return event
            part = path_part(sid, errors.ConversationNotFound)
            return event if await conversation_log.claims_conversation(self._client, self._twilio, part) else None

    async def erase_messages(self, sid: str) -> AsyncIterator[str]:
        """Delete the messages that Twilio keeps of a conversation, one by one; the sid of each.

        Raises:
            errors.ConversationNotFound, errors.MessagingError
        """
        while True:
            async with self._conversation("erase_messages", sid, repeatable=True) as conversation:
                listed = [item.sid for item in await conversation.messages.page_async(page_size=_MAX_PAGE)]
            for message_sid in listed:
                async with self._conversation("erase_messages", sid, repeatable=True) as conversation:
                    await conversation.messages(message_sid).delete_async()
                yield message_sid
            if not listed:
                return

    @asynccontextmanager
    async def _conversation(self, op: str, sid: str, *, repeatable: bool = False) -> AsyncIterator[Any]:
        frame = self._calling(op, sid=sid, repeatable=repeatable, missing=errors.ConversationNotFound)
        async with frame as conversations:
            yield conversations(path_part(sid, errors.ConversationNotFound))

    def _resources(self, client: Any) -> Any:
        return client.conversations.v1.conversations

    def _account_check(self, looks: Any) -> tuple[str, Callable[..., Awaitable[Finding]]]:
        return "conversations-webhook", looks.conversations

    async def _probe(self, client: Any) -> None:
        await client.page_async(page_size=1)

    async def _fetch(self, transport: Any, media: Media) -> MediaContent:
        """Conversations tells no URL of its media, but a sid, which the media service of our chat service knows."""
        if media.url:
            return await super()._fetch(transport, media)
        from messaging.providers.twilio import media as attachments  # noqa: PLC0415 - late, for the webhook side

        if not media.sid:
            raise errors.InvalidInput("media: a sid or a url of the provider expected")
        part = path_part(media.sid, errors.NotFound)
        url = await attachments.locate(transport, await self._service(), part, self._twilio.credentials)
        return await attachments.fetch(transport, replace(media, url=url), None)

    async def _uploaded(self, media: Media) -> str:
        """The sid of an attachment. Uploading it again, after a send that failed, leaves nothing but an unused copy."""
        from messaging.providers.twilio import media as attachments  # noqa: PLC0415 - late, for the webhook side

        if media.sid:
            return media.sid
        if media.data is None:
            raise errors.InvalidMessage("media: data expected, or the sid of what was uploaded before")
        sid = await attachments.upload(self._client.http_client, await self._service(), media, self._twilio.credentials)
        WRITTEN.set(False)  # the message itself is still to come
        return sid

    async def _service(self) -> str:
        """The chat service whose conversations `/v1/Conversations` holds, and of no other."""
        return str((await self._client.conversations.v1.configuration().fetch_async()).default_chat_service_sid)

    def _absence(self, since: datetime | None) -> SendOutcome:
        """A request that we have given up on may still be on its way in Twilio."""
        settled = since is None or self._now() - since >= timedelta(seconds=self._twilio.settle_seconds)
        return SendOutcome.ABSENT if settled else SendOutcome.UNCERTAIN

    async def _present(self, conversation: Any, wanted: Participant) -> Participant | None:
        """The participant that is there already, unless the conflict is about another conversation."""
        async for item in self._participants(conversation):
            if _same(item, wanted):
                return item
        return None

    @staticmethod
    async def _participants(conversation: Any) -> AsyncIterator[Participant]:
        options: dict[str, Any] = {"page_size": _MAX_PAGE}
        for _ in range(_PARTICIPANT_PAGES):
            page = await conversation.participants.page_async(**options)
            for item in map(resources.participant, page):
                yield item
            cursor = resources.cursor(page.next_page_url)
            if cursor is None:
                return
            options.update(resources.page_options(cursor))

    async def _received(self, sid: str) -> AsyncIterator[Message]:
        newest = await self._newer(sid, None)
        last = newest[-1].index if newest else None
        after = -1 if last is None else last
        while await self._pause():
            fresh = await self._newer(sid, after)
            for message in fresh:
                after = message.index if message.index is not None else after
                if KEY_ATTRIBUTE not in message.attributes and message.author != self._twilio.author:
                    yield message
            if not fresh and (await self.get_conversation(sid)).state is ConversationState.CLOSED:
                return

    async def _newer(self, sid: str, after: int | None) -> list[Message]:
        """Messages with an index above `after`, oldest first; with None, the newest alone."""
        options: dict[str, Any] = {"order": "desc", "page_size": 1 if after is None else _MAX_PAGE}
        found: list[Message] = []
        async with self._conversation("receive_messages", sid, repeatable=True) as conversation:
            for _ in range(1 if after is None else _MAX_LOOKS):
                page = await conversation.messages.page_async(**options)
                items = [resources.conversation_message(item) for item in page]
                found += [item for item in items if after is None or (item.index is not None and item.index > after)]
                cursor = resources.cursor(page.next_page_url)
                if (
                    cursor is None
                    or after is None
                    or any(item.index is not None and item.index <= after for item in items)
                ):
                    break
                options.update(resources.page_options(cursor))
        return found[::-1]


def _conflicts(refused: errors.InvalidInput, codes: Collection[int]) -> bool:
    """Whether it says that there is one already; a bare 409 from a lesser fake says so too."""
    return refused.provider_code in codes or (refused.status == _CONFLICT and type(refused) is errors.InvalidInput)


def _reaches(items: list[Message], since: datetime | None) -> bool:
    """Whether the page goes back to before the send."""
    oldest = items[-1].date_created if items else None
    return since is not None and oldest is not None and oldest < since - _SKEW


def _same(present: Participant, wanted: Participant) -> bool:
    if wanted.identity is not None:
        return present.identity == wanted.identity
    here, there = present.binding, wanted.binding
    if here is None or there is None:
        return False
    return _ends(here) == _ends(there)


def _ends(binding: Binding) -> tuple[str, ...]:
    ends = (binding.address, binding.proxy_address, binding.projected_address)
    return tuple(end.raw if end else "" for end in ends)
