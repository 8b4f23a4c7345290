"""The backend `twilio_messaging`: SMS, WhatsApp and RCS. A conversation is a pair of addresses, and sends have no key.

So a send of unknown outcome is found by comparing: same pair, same text, created since, belonging to no other send.
A status callback brings our key back sooner, when there is a `webhook_url` for it.
https://www.twilio.com/docs/messaging/api/message-resource
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar, NoReturn
from urllib.parse import quote

from messaging import errors
from messaging.diagnosis import Finding
from messaging.model import (
    Capabilities,
    Channel,
    Conversation,
    ConversationConfig,
    ConversationState,
    InboundEvent,
    Message,
    Page,
    Participant,
    SendOutcome,
    SendProof,
)
from messaging.providers.twilio import message_log, message_requests, resources, vocabulary
from messaging.providers.twilio.lifecycle import TwilioBackend, instant, require_period
from messaging.providers.twilio.pair import AddressPair, is_address
from messaging.providers.twilio.webhooks import MESSAGING_ROUTES, Parser

STATUS_PATH = "/webhooks/twilio/status"
_PAGE = 100
# 500 messages between two addresses since a send: no longer a look, but a search.
_MAX_LOOKS = 5
# Twilio's dates have whole seconds, and the clocks of two well-kept machines differ by less.
_SKEW = timedelta(seconds=3)
# Beyond this no list order can still hide a match: a page that is all older ends the look.
_OLD = timedelta(minutes=1)
_OURS = "outbound-api"
_THEIRS = "inbound"


class MessagingBackend(TwilioBackend):
    """One account's messages."""

    NAME = "twilio_messaging"
    ROUTES: ClassVar[Mapping[str, Parser]] = MESSAGING_ROUTES
    # No conversation is told of what is only queued.
    PROBE = (
        STATUS_PATH,
        {"MessageSid": f"SM{'0' * 32}", "MessageStatus": "queued", "From": "+15550100000", "To": "+15550100001"},
    )
    CAPABILITIES = Capabilities(
        channels=frozenset({Channel.SMS, Channel.MMS, Channel.WHATSAPP, Channel.RCS, Channel.MESSENGER}),
        conversations=False,
        participants=False,
        outbound_media=True,
        max_body=message_requests.MAX_BODY,
        proves_absence=False,
        inbound_media=True,
        lists_inbound=True,
    )

    async def create_conversation(self, config: ConversationConfig) -> Conversation:
        """The conversation of the pair in `attributes`: `to`, and `from` unless a number of ours is configured.

        Raises:
            errors.InvalidConversation
        """
        self._require_running("create_conversation")
        theirs = self._end(config.attributes.get("to"), "attributes.to")
        # An RCS or Messenger sender is no number: it must be named.
        defaults = {Channel.WHATSAPP: self._twilio.whatsapp_number, Channel.SMS: self._twilio.phone_number}
        default = defaults.get(theirs.channel)
        prefix = "whatsapp:" if theirs.channel is Channel.WHATSAPP else ""
        given = config.attributes.get("from") or (prefix + default if default else None)
        return self._conversation(AddressPair(ours=self._end(given, "attributes.from"), theirs=theirs), config)

    async def get_conversation(self, sid: str) -> Conversation:
        """The conversation of a pair: there for every pair, and always active.

        Raises:
            errors.ConversationNotFound: not a pair.
        """
        return self._conversation(self._pair("get_conversation", sid), ConversationConfig())

    async def list_conversations(
        self, *, state: ConversationState | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Conversation]:
        """Not of this product.

        Raises:
            errors.UnsupportedProvider
        """
        del state, limit, cursor
        self._refuse("list_conversations", "there is no list of conversations, only messages")

    async def close_conversation(self, sid: str) -> None:
        """Nothing to do: a pair of addresses is never closed.

        Raises:
            errors.ConversationNotFound: not a pair.
        """
        self._pair("close_conversation", sid)

    async def send_message(self, sid: str, message: Message, *, key: str | None = None) -> Message:
        """Send from our address to theirs.

        Raises:
            errors.ConversationNotFound, errors.InvalidMessage, errors.MessageFailed, errors.RateLimit
            errors.NetworkError
        """
        pair = self._pair("send_message", sid)
        wanted = {"to": pair.theirs.raw, "from_": pair.ours.raw, **self._content(message, pair.theirs.channel)}
        if self._twilio.messaging_service_sid:
            wanted["messaging_service_sid"] = self._twilio.messaging_service_sid
        if base := self._twilio.callback_url:
            wanted["status_callback"] = base + STATUS_PATH + (f"?key={quote(key, safe='')}" if key else "")
        async with self._calling("send_message", sid=sid) as messages:
            return resources.message(await messages.create_async(**wanted), conversation_sid=sid)

    async def find_message(
        self,
        sid: str,
        key: str,
        *,
        message: Message | None = None,
        since: datetime | None = None,
        known: Collection[str] = (),
    ) -> SendProof:
        """Look for an equal message of ours, created at or after `since` and not in `known`; the oldest one wins.

        Without `message` and `since`, or for a template whose text we do not know, there is nothing to compare, and the
        outcome stays uncertain.

        Raises:
            errors.ConversationNotFound
        """
        del key  # nothing carries it
        pair = self._pair("find_message", sid)
        if since is not None:
            since = self._instant(since)
        if message is None or since is None or (message.template and not message.body):
            return SendProof(outcome=SendOutcome.UNCERTAIN)
        found, complete = await self._listed("find_message", sid, pair.ours.raw, pair.theirs.raw, since)
        matches = [item for item in found if item.sid not in known and _equal(item, message, since)]
        if matches:
            match = min(matches, key=_created)
            return SendProof(outcome=SendOutcome.CONFIRMED, message=resources.message(match, conversation_sid=sid))
        settled = self._now() - since >= timedelta(seconds=self._twilio.settle_seconds)
        return SendProof(outcome=SendOutcome.ABSENT if settled and complete else SendOutcome.UNCERTAIN)

    def receive_messages(self, sid: str) -> AsyncIterator[Message]:
        """Messages of theirs, from the first step of the iteration on, by looking at intervals.

        Raises:
            errors.ConversationNotFound
        """
        return self._stream(self._received(self._pair("receive_messages", sid)))

    async def add_participant(self, sid: str, participant: Participant) -> Participant:
        """Not of this product.

        Raises:
            errors.UnsupportedProvider
        """
        del sid, participant
        self._refuse("add_participant", "a pair of addresses has no participants")

    async def remove_participant(self, sid: str, participant_sid: str) -> None:
        """Not of this product.

        Raises:
            errors.UnsupportedProvider
        """
        del sid, participant_sid
        self._refuse("remove_participant", "a pair of addresses has no participants")

    async def list_inbound(self, *, since: datetime, until: datetime, cursor: str | None = None) -> Page[InboundEvent]:
        """What people wrote to any number of the account, by windows of time.

        Raises:
            errors.InvalidInput, errors.NetworkError
        """
        async with self._calling("list_inbound", repeatable=True) as messages:
            require_period(since, until)
            return await message_log.listed(messages, self.NAME, since, until, cursor)

    async def claim(self, event: InboundEvent) -> InboundEvent | None:
        """The message with its media; None where Twilio tells another of it: another's number, or a conversation.

        Raises:
            errors.NetworkError
        """
        async with self._calling("claim", repeatable=True):
            if event.ours is None:
                return None
            ask = partial(message_log.claims, self._client, self._twilio, event.ours)
            known = await self._remembered(event.ours.raw, ask)
            if known is False or (known is None and await message_log.is_conversations(self._client, event)):
                return None
            return await message_log.with_media(self._client, event)

    async def erase_messages(self, sid: str) -> AsyncIterator[str]:
        """Delete what Twilio keeps of both directions, message by message; the sid of each.

        One that is still on its way cannot be deleted yet: that is raised, and the rest stays for another try.

        Raises:
            errors.ConversationNotFound, errors.MessagingError
        """
        pair = self._pair("erase_messages", sid)
        for sender, to in ((pair.ours.raw, pair.theirs.raw), (pair.theirs.raw, pair.ours.raw)):
            while True:
                async with self._calling("erase_messages", sid=sid, repeatable=True) as messages:
                    listed = [item.sid for item in await messages.page_async(to=to, from_=sender, page_size=_PAGE)]
                for message_sid in listed:
                    async with self._calling("erase_messages", sid=sid, repeatable=True) as messages:
                        await messages(message_sid).delete_async()
                    yield message_sid
                if not listed:
                    break

    def _resources(self, client: Any) -> Any:
        return client.api.v2010.account.messages

    def _account_check(self, looks: Any) -> tuple[str, Callable[..., Awaitable[Finding]]]:
        return "number-webhook", looks.number

    async def _probe(self, client: Any) -> None:
        await client.page_async(page_size=1)

    def _pair(self, op: str, sid: str) -> AddressPair:
        self._require_running(op)
        try:
            return AddressPair.parse(sid)
        except errors.ConversationNotFound as missing:
            missing.op, missing.provider = op, self.NAME
            raise

    def _instant(self, since: datetime) -> datetime:
        try:
            return instant(since)
        except errors.InvalidInput as wrong:
            wrong.op, wrong.provider = "find_message", self.NAME
            raise

    def _refuse(self, op: str, why: str) -> NoReturn:
        self._require_running(op)
        raise errors.UnsupportedProvider(why, op=op, provider=self.NAME)

    def _end(self, raw: Any, field: str) -> Any:
        if not isinstance(raw, str) or not is_address(raw):
            raise errors.InvalidConversation(
                f"{field}: an address like +15550100000 or whatsapp:+15550100000 expected",
                op="create_conversation",
                provider=self.NAME,
            )
        return vocabulary.address(raw)

    def _conversation(self, pair: AddressPair, config: ConversationConfig) -> Conversation:
        return Conversation(
            sid=pair.sid,
            account_sid=self._twilio.account_sid,
            friendly_name=config.friendly_name,
            unique_name=config.unique_name,
            attributes={**config.attributes, "from": pair.ours.raw, "to": pair.theirs.raw},
            timers=config.timers,
            messaging_service_sid=self._twilio.messaging_service_sid,
        )

    def _content(self, message: Message, channel: Channel) -> dict[str, Any]:
        try:
            return message_requests.content(message, channel)
        except errors.InvalidMessage as refused:
            refused.op, refused.provider = "send_message", self.NAME
            raise

    async def _listed(self, op: str, sid: str, sender: str, to: str, since: datetime) -> tuple[list[Any], bool]:
        """Messages of one direction, and whether none since then is left out.

        Not asked by `DateSent`: a message that still waits in the sender's queue has none, and must be found.
        """
        options: dict[str, Any] = {"to": to, "from_": sender, "page_size": _PAGE}
        found: list[Any] = []
        async with self._calling(op, sid=sid, repeatable=True) as messages:
            for _ in range(_MAX_LOOKS):
                page = await messages.page_async(**options)
                items = list(page)
                found += items
                cursor = resources.cursor(page.next_page_url)
                if cursor is None or (items and all(_created(item) < since - _OLD for item in items)):
                    return found, True
                options.update(resources.page_options(cursor))
        return found, False

    async def _received(self, pair: AddressPair) -> AsyncIterator[Message]:
        since = self._now()
        seen: set[str] = set()
        while await self._pause():
            listed, _ = await self._listed("receive_messages", pair.sid, pair.theirs.raw, pair.ours.raw, since)
            fresh = [item for item in listed if item.direction == _THEIRS and item.sid not in seen]
            seen = {item.sid for item in listed}
            # Listed newest first. Created in the very second of the start counts as before it or after it: after.
            for item in reversed([item for item in fresh if _created(item) >= since.replace(microsecond=0)]):
                yield resources.message(item, conversation_sid=pair.sid)


def _created(item: Any) -> datetime:
    return item.date_created if isinstance(item.date_created, datetime) else datetime.max.replace(tzinfo=UTC)


def _equal(item: Any, message: Message, since: datetime) -> bool:
    return (
        item.direction == _OURS
        and (item.body or "").strip() == message.body.strip()
        # 0 too: Twilio counts the media of an outbound message only once it has fetched them.
        and resources.media_count(item) in {0, len(message.media)}
        and _created(item) >= since - _SKEW
    )
