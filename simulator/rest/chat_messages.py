"""Messages of a conversation and their delivery receipts.

https://www.twilio.com/docs/conversations/api/conversation-message-resource
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from simulator import events
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.records import ChatMessage, Conversation, Receipt
from simulator.rest import conversations, paging
from simulator.rest.call import GONE, Call, Reply
from simulator.rest.outgoing import variables
from simulator.rest.participants import MAX_ATTRIBUTES
from simulator.sids import looks_like
from simulator.texting import MAX_BODY
from simulator.uploads import attachment

_MAX_AUTHOR = 256

# How far a copy has come, for the summary in `delivery`.
_REACHED = {
    "sent": frozenset({"sent", "delivered", "read", "undelivered"}),
    "delivered": frozenset({"delivered", "read"}),
    "read": frozenset({"read"}),
    "failed": frozenset({"failed"}),
    "undelivered": frozenset({"undelivered"}),
}


async def create(call: Call) -> Reply:
    conversation, author, fields = _new(call)

    def describe() -> dict[str, str]:
        member = call.world.talks.member(conversation, author)
        given = {"created": 0.0, "updated": 0.0, "participant": member.sid if member else None} | fields
        message = ChatMessage(sid="", conversation=conversation.sid, index=0, author=author, **given)
        return events.draft(events.message_fields(message, conversation))

    asked = await call.world.prehooks.ask("onMessageAdd", call.service, describe, source=call.source)
    if asked is not None:
        conversation, author, fields = _new(call)
        author = asked.pop("author", author)
        fields |= asked
    message = call.world.talks.say(conversation, author=author, source=call.source, **fields)
    return Reply(body=show(call, message), status=201)


def listing(call: Call) -> Reply:
    order = call.asked("Order") or "asc"
    if order not in {"asc", "desc"}:
        raise TwilioError(20001, "Invalid Order parameter")
    said = call.world.store.said.of(conversations.find(call).sid).values()
    rows: Iterable[ChatMessage] = reversed(said) if order == "desc" else said
    return paging.v1(call, "messages", rows, lambda row: show(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=show(call, _find(call)))


async def update(call: Call) -> Reply:
    message, conversation = _find(call), conversations.find(call)
    fields: dict[str, Any] = call.given(body="Body", author="Author", subject="Subject")
    if len(fields.get("body", "")) > MAX_BODY:
        raise TwilioError(50504, "Message body parameter is too long")
    if len(fields.get("author", "")) > _MAX_AUTHOR:
        raise TwilioError(50310, "Author parameter is too long")
    fields |= {"updated": call.world.clock.now()} | conversations.attributes(call, MAX_ATTRIBUTES)
    fields |= conversations.dates(call)
    described = replace(message, **fields)
    asked = await call.world.prehooks.ask(
        "onMessageUpdate",
        call.service,
        lambda: events.changed(events.message_fields(described, conversation), described.updated),
        source=call.source,
    )
    if asked is not None:
        message, conversation = _find(call), conversations.find(call)
        fields |= asked
    call.world.store.chat_messages.change(message, **fields)
    told = events.changed(events.message_fields(message, conversation), message.updated)
    call.world.talks.tell("onMessageUpdated", conversation, told, call.source)
    return Reply(body=show(call, message))


async def delete(call: Call) -> Reply:
    message, conversation = _find(call), conversations.find(call)
    await call.world.prehooks.ask(
        "onMessageRemove",
        call.service,
        lambda: events.changed(events.message_fields(message, conversation), message.updated),
        source=call.source,
    )
    message, conversation = _find(call), conversations.find(call)
    call.world.store.chat_messages.remove(message.sid)
    told = events.changed(events.message_fields(message, conversation), message.updated, call.world.clock.now())
    call.world.talks.tell("onMessageRemoved", conversation, told, call.source)
    return GONE


def receipts(call: Call) -> Reply:
    rows = call.world.store.receipts_of.of(_find(call).sid).values()
    return paging.v1(call, "delivery_receipts", rows, lambda row: _show_receipt(call, row))


def fetch_receipt(call: Call) -> Reply:
    receipt = call.world.store.receipts_of.of(_find(call).sid).get(call.ids[2])
    if receipt is None:
        raise not_found(call.path.removeprefix("/v1"))
    return Reply(body=_show_receipt(call, receipt))


def show(call: Call, message: ChatMessage) -> dict[str, Any]:
    url = _url(call, message)
    return {
        "sid": message.sid,
        "account_sid": call.world.config.account_sid,
        **call.of_service,
        "conversation_sid": message.conversation,
        "body": message.body,
        "media": [{k: m[k] for k in ("sid", "size", "content_type", "filename")} for m in message.media] or None,
        "author": message.author,
        "participant_sid": message.participant,
        "attributes": message.attributes,
        "date_created": iso(message.created),
        "date_updated": iso(message.updated),
        "index": message.index,
        "delivery": _delivery(call, message),
        "content_sid": message.content_sid,
        "url": url,
        "links": {"delivery_receipts": f"{url}/Receipts", "channel_metadata": f"{url}/ChannelMetadata"},
    }


def _new(call: Call) -> tuple[Conversation, str, dict[str, Any]]:
    """What may be said, by whom, and where."""
    conversation = conversations.find_open(call)
    if conversation.state == "initializing":
        raise TwilioError(50391, "Conflicting conversation modification: it is not set up yet", 409)
    fields: dict[str, Any] = _content(call) | conversations.attributes(call, MAX_ATTRIBUTES) | conversations.dates(call)
    author = call.text("Author") or "system"
    if len(author) > _MAX_AUTHOR:
        raise TwilioError(50310, "Author parameter is too long")
    return conversation, author, fields


def _content(call: Call) -> dict[str, Any]:
    """Text, an uploaded file, or a template, which makes Twilio ignore the other two."""
    body, media, content = call.text("Body"), call.text("MediaSid"), call.text("ContentSid")
    if content:
        template = call.world.store.templates.get(content)
        if template is None:
            raise TwilioError(50526, "Invalid content SID")
        call.world.reviewed(template)
        return {"content_sid": content, "content_variables": variables(call.text("ContentVariables"), code=50527)}
    if not body and not media:
        raise TwilioError(50503, "Message body not provided")
    if body and len(body) > MAX_BODY:
        raise TwilioError(50504, "Message body parameter is too long")
    fields: dict[str, Any] = {"body": body or None} | call.given(subject="Subject")
    return fields | ({"media": [_media(call, media)]} if media else {})


def _media(call: Call, sid: str) -> dict[str, Any]:
    if not looks_like("ME", sid):
        raise TwilioError(50510, "Invalid message media SID")
    upload = call.world.store.uploads.get(sid)
    if upload is None or upload.service != call.service:
        raise TwilioError(50507, "Media not found", 404)
    if upload.message_sid is not None:
        raise TwilioError(50508, "Media already sent with another message")
    return {**attachment(upload), "size": upload.size, "filename": upload.filename}


def _delivery(call: Call, message: ChatMessage) -> dict[str, Any] | None:
    statuses = [copy.status for copy in call.world.store.copies.of(message.sid).values()]
    if not statuses:
        return None
    summary: dict[str, Any] = {"total": len(statuses)}
    for name, reached in _REACHED.items():
        count = sum(status in reached for status in statuses)
        summary[name] = "none" if count == 0 else "all" if count == len(statuses) else "some"
    return summary


def _show_receipt(call: Call, receipt: Receipt) -> dict[str, Any]:
    message = call.world.store.chat_messages.rows[receipt.chat_message]
    return {
        "account_sid": call.world.config.account_sid,
        **call.of_service,
        "conversation_sid": receipt.conversation,
        "sid": receipt.sid,
        "message_sid": receipt.chat_message,
        "channel_message_sid": receipt.channel_message,
        "participant_sid": receipt.participant,
        "status": receipt.status,
        "error_code": receipt.error_code,
        "date_created": iso(receipt.created),
        "date_updated": iso(receipt.updated),
        "url": f"{_url(call, message)}/Receipts/{receipt.sid}",
    }


def _find(call: Call) -> ChatMessage:
    conversation = conversations.find(call)
    message = call.world.store.said.of(conversation.sid).get(call.ids[1])
    if message is None:
        raise not_found(f"/Conversations/{call.ids[0]}/Messages/{call.ids[1]}")
    return message


def _url(call: Call, message: ChatMessage) -> str:
    host = call.world.urls.conversations
    return f"{host}/v1{call.service_path}/Conversations/{message.conversation}/Messages/{message.sid}"
