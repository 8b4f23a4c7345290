"""Conversations over REST: list, read, start, write."""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import asdict, fields
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from api import problems, tokens
from api.shapes import (
    ConversationDetail,
    ConversationIn,
    ConversationOut,
    ConversationPage,
    MessageIn,
    MessageOut,
    MessagePage,
)
from runtime.directory import Directory, InvalidCursor
from runtime.filter import Filter
from runtime.ingress import Ingress
from workflows.contracts import OperatorReply
from workflows.state import MessageRecord, TurnRecord

router = APIRouter(
    prefix="/v1/conversations",
    tags=["conversations"],
    dependencies=[Depends(tokens.required)],
    responses=problems.documented(400, 401, 403, 404, 409, 422, 502, 503),
)


def _ingress(request: Request) -> Ingress:
    ingress: Ingress = request.app.state.ingress
    return ingress


def _directory(request: Request) -> Directory:
    return _ingress(request).directory


def _key(
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            pattern=r"^[!-~]+$",
            description="The same key again is the same request: nothing is done twice.",
        ),
    ] = None,
) -> str:
    return idempotency_key or uuid.uuid4().hex


Conversations = Annotated[Directory, Depends(_directory)]
Everything = Annotated[Ingress, Depends(_ingress)]
Key = Annotated[str, Depends(_key)]
Limit = Annotated[int, Query(ge=1, le=200)]
Word = Annotated[str | None, Query(min_length=1, max_length=256)]


class Shown(StrEnum):
    """Which conversations to list."""

    ACTIVE = "active"
    HELD = "held"
    WAITING = "waiting"
    CLOSED = "closed"


@router.get("", summary="List conversations")
async def list_conversations(
    directory: Conversations,
    limit: Limit = 50,
    cursor: str | None = None,
    state: Shown | None = None,
    channel: Word = None,
    assignee: Word = None,
    contact: Word = None,
) -> ConversationPage:
    """Latest first; `cursor` is the `next_cursor` of the page before. A change takes about a second to be listed."""
    wanted = Filter(state=state.value if state else None, channel=channel, assignee=assignee, contact=contact)
    page = await directory.list(wanted, limit=limit, cursor=cursor)
    items = [ConversationOut.model_validate(item, from_attributes=True) for item in page.items]
    return ConversationPage(items=items, next_cursor=page.next_cursor)


@router.post("", summary="Start a conversation", status_code=201)
async def start_conversation(
    body: ConversationIn, key: Key, ingress: Everything, response: Response
) -> ConversationDetail:
    """Write to somebody first. Who is in a conversation with us already gets the greeting there."""
    found = await ingress.errands.open(to=body.to, key=key, provider=body.provider, name=body.name)
    await ingress.directory.reply(
        found,
        OperatorReply(
            author="system",
            text=body.greeting,
            key=f"greeting:{key}",
            template=body.template,
            template_variables=body.template_variables,
        ),
    )
    response.headers["Location"] = f"{router.prefix}/{found}"
    return await get_conversation(found, ingress.directory)


@router.get("/{conversation_id}", summary="Read a conversation")
async def get_conversation(conversation_id: str, directory: Conversations) -> ConversationDetail:
    """As it stands now."""
    found = await directory.get(conversation_id)
    view = asdict(found.view) if found.view else {}
    return ConversationDetail.model_validate({**view, **{f.name: getattr(found, f.name) for f in fields(found)}})


@router.get("/{conversation_id}/messages", summary="Read the recent messages")
async def list_messages(
    conversation_id: str, directory: Conversations, limit: Limit = 50, cursor: str | None = None
) -> MessagePage:
    """What the conversation itself carries, the latest `limit` first of all; older messages are in memory."""
    messages = await directory.messages(conversation_id)
    if cursor is not None:
        messages = messages[: _place(messages, cursor)]
    page = messages[-limit:]
    more = _encoded(page[0].id) if len(messages) > len(page) else None
    return MessagePage(items=[_message(message) for message in page], next_cursor=more)


@router.post("/{conversation_id}/messages", summary="Write to the person", status_code=201)
async def write_message(
    conversation_id: str, body: MessageIn, key: Key, directory: Conversations, by: tokens.By
) -> MessageOut:
    """As a human (by default whose token it is), or as `system`; sent and proven like an answer.

    Its `status` tells how far it got.

    409 where nothing may be sent: after STOP, with the channel's window closed and no template, or while somebody else
    has the conversation.
    """
    posted = await directory.reply(
        conversation_id,
        OperatorReply(
            author=body.author or by.name or "system",
            text=body.body,
            key=key,
            media=tuple(body.media),
            template=body.template,
            template_variables=body.template_variables,
        ),
    )
    messages = await directory.messages(conversation_id)
    return _message(next(message for message in reversed(messages) if message.id == posted.id))


@router.get("/{conversation_id}/last-turn", summary="What the last turn did, step by step")
async def last_turn(conversation_id: str, directory: Conversations) -> TurnRecord | None:
    """Which steps ran, how long each took, and why one was skipped; null before the first turn has ended."""
    return await directory.last_turn(conversation_id)


def _message(record: MessageRecord) -> MessageOut:
    return MessageOut.model_validate(record, from_attributes=True)


def _encoded(message_id: str) -> str:
    return base64.urlsafe_b64encode(message_id.encode()).decode()


def _place(messages: tuple[MessageRecord, ...], cursor: str) -> int:
    """Where the page before began. One that the transcript has let go of has nothing before it."""
    try:
        wanted = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor("cursor: must be the next_cursor of the page before") from error
    return next((place for place, message in enumerate(messages) if message.id == wanted), 0)
