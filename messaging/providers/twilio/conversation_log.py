"""What came in by the Conversations API, read from Twilio's own lists instead of a webhook.

Twilio lists conversations by the day of their creation, not by their last message, so each that may have one is looked
into: https://www.twilio.com/docs/conversations/api/conversation-resource
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from messaging.model import ConversationState, EventKind, InboundEvent, Message, Page
from messaging.providers.twilio import dates, resources, vocabulary
from messaging.providers.twilio.config import TwilioConfig
from messaging.providers.twilio.message_log import same_url

CONVERSATIONS_PATH = "/webhooks/twilio/conversations"
ADDED = "onMessageAdded"
_CONVERSATIONS = 20
_AT_ONCE = 5
_PAGE = 100
# 2,000 messages of one conversation are looked through; with the newest first, what is left out is the oldest.
_MAX_PAGES = 20


async def listed(
    conversations: Any, config: TwilioConfig, provider: str, since: datetime, until: datetime, cursor: str | None
) -> Page[InboundEvent]:
    """The messages of a page of conversations, of each in its order.

    Raises:
        errors.InvalidInput
    """
    page = await conversations.page_async(page_size=_CONVERSATIONS, **resources.page_options(cursor))
    room = asyncio.Semaphore(_AT_ONCE)

    async def of(sid: str) -> list[InboundEvent]:
        async with room:
            return await _of(conversations(sid), config, provider, since, until)

    lively = [item.sid for item in page if _may_have_some(item, since, until)]
    found = await asyncio.gather(*map(of, lively))
    return Page(
        items=tuple(event for events in found for event in events), next_cursor=resources.cursor(page.next_page_url)
    )


def _may_have_some(item: Any, since: datetime, until: datetime) -> bool:
    began, changed = dates.read(item.date_created), dates.read(item.date_updated)
    ended = item.state == ConversationState.CLOSED.value and changed is not None and changed < since
    return not ended and not (began is not None and began > until)


async def _of(
    conversation: Any, config: TwilioConfig, provider: str, since: datetime, until: datetime
) -> list[InboundEvent]:
    options: dict[str, Any] = {"order": "desc", "page_size": _PAGE}
    found: list[InboundEvent] = []
    for _ in range(_MAX_PAGES):
        page = await conversation.messages.page_async(**options)
        oldest: datetime | None = None
        for item in page:
            oldest = dates.read(item.date_created)
            message = resources.conversation_message(item)
            if oldest is not None and since <= oldest < until and _is_inbound(item, message, config):
                found.append(_event(item, message, provider, oldest))
        cursor = resources.cursor(page.next_page_url)
        if cursor is None or (oldest is not None and oldest < since):
            break
        options.update(resources.page_options(cursor))
    return found[::-1]


def _is_inbound(item: Any, message: Message, config: TwilioConfig) -> bool:
    """A participant wrote it; what is sent by REST names none, unless it speaks for one."""
    return bool(item.participant_sid) and not (
        vocabulary.KEY_ATTRIBUTE in message.attributes or message.author == config.author
    )


def _event(item: Any, message: Message, provider: str, at: datetime) -> InboundEvent:
    return InboundEvent(
        provider=provider,
        event_key=f"{message.sid}:{ADDED}",  # as the webhook's
        kind=EventKind.MESSAGE_ADDED,
        account_sid=item.account_sid or "",
        conversation_sid=message.conversation_sid,
        occurred_at=at,
        received_at=at.astimezone(UTC),
        index=message.index,
        message=message,
        theirs=message.sender,
    )


async def claims_account(client: Any, config: TwilioConfig) -> bool:
    """Whether all of our chat service's conversations tell our webhook of new messages."""
    hooks = await client.conversations.v1.configuration.webhooks().fetch_async()
    if _is_ours(hooks.post_webhook_url, hooks.filters, config):
        return True
    service = (await client.conversations.v1.configuration().fetch_async()).default_chat_service_sid
    own = await client.conversations.v1.services(service).configuration.webhooks().fetch_async()
    return _is_ours(own.post_webhook_url, own.filters, config)


async def claims_conversation(client: Any, config: TwilioConfig, sid: str) -> bool:
    """Whether this conversation has a webhook of its own that is ours."""
    hooks = await client.conversations.v1.conversations(sid).webhooks.list_async(limit=10)
    settings = [hook.configuration or {} for hook in hooks]
    return any(_is_ours(found.get("url"), found.get("filters"), config) for found in settings)


def _is_ours(url: str | None, filters: list[str] | None, config: TwilioConfig) -> bool:
    if config.webhook_url is None or not same_url(url, config.webhook_url + CONVERSATIONS_PATH):
        return False
    return not filters or ADDED in filters
