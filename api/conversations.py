"""Conversations over REST: list, read, take over, release, close."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from api import problems, tokens
from runtime.directory import Directory
from workflows.state import MessageRecord, TurnRecord

router = APIRouter(
    prefix="/v1/conversations",
    tags=["conversations"],
    dependencies=[Depends(tokens.required)],
    responses=problems.documented(400, 401, 404, 409, 422, 503),
)


class ConversationOut(BaseModel):
    """A conversation. `id` is ours and equals the workflow's; `provider_sid` is empty where the provider has none."""

    id: str
    state: str
    channel: str
    contact_id: str
    provider_sid: str
    workflow_id: str
    run_id: str
    created_at: datetime
    updated_at: datetime
    assignee: str | None


class MediaOut(BaseModel, from_attributes=True):
    """One attachment; its bytes are at the provider, behind its credentials."""

    url: str
    content_type: str


class MessageOut(BaseModel, from_attributes=True):
    """A message. `status` is the delivery status outbound, and inbound what became of its turn."""

    id: str
    direction: str
    author: str
    body: str
    media: list[MediaOut]
    status: str
    provider_sid: str
    turn: int
    created_at: datetime


class ConversationPage(BaseModel):
    """A page of conversations, latest first."""

    items: list[ConversationOut]
    next_cursor: str | None


class MessagePage(BaseModel):
    """The most recent messages, oldest first."""

    items: list[MessageOut]
    next_cursor: str | None


class TakeoverIn(BaseModel):
    """Who answers from now on."""

    assignee: Annotated[str, Field(min_length=1, max_length=256)]


def _directory(request: Request) -> Directory:
    directory: Directory = request.app.state.ingress.directory
    return directory


Conversations = Annotated[Directory, Depends(_directory)]


@router.get("", summary="List conversations")
async def list_conversations(
    directory: Conversations,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> ConversationPage:
    """Latest first; `cursor` is the `next_cursor` of the page before."""
    page = await directory.list(limit=limit, cursor=cursor)
    items = [ConversationOut.model_validate(item, from_attributes=True) for item in page.items]
    return ConversationPage(items=items, next_cursor=page.next_cursor)


@router.get("/{conversation_id}", summary="Read a conversation")
async def get_conversation(conversation_id: str, directory: Conversations) -> ConversationOut:
    """As it stands now."""
    return ConversationOut.model_validate(await directory.get(conversation_id), from_attributes=True)


@router.get("/{conversation_id}/messages", summary="Read the recent messages")
async def list_messages(
    conversation_id: str, directory: Conversations, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> MessagePage:
    """What the conversation itself carries; older messages are in memory."""
    messages = (await directory.messages(conversation_id))[-limit:]
    return MessagePage(items=[_message(message) for message in messages], next_cursor=None)


@router.get("/{conversation_id}/last-turn", summary="What the last turn did, step by step")
async def last_turn(conversation_id: str, directory: Conversations) -> TurnRecord | None:
    """Which steps ran, how long each took, and why one was skipped; null before the first turn has ended."""
    return await directory.last_turn(conversation_id)


@router.post("/{conversation_id}/takeover", summary="Let a human answer")
async def takeover(conversation_id: str, body: TakeoverIn, directory: Conversations) -> ConversationOut:
    """The agent is silent until released; a draft in writing is not sent. 409 if somebody else has taken over."""
    await directory.takeover(conversation_id, body.assignee)
    return await get_conversation(conversation_id, directory)


@router.post("/{conversation_id}/release", summary="Let the agent answer again")
async def release(conversation_id: str, directory: Conversations) -> ConversationOut:
    """From the next text on."""
    await directory.release(conversation_id)
    return await get_conversation(conversation_id, directory)


@router.post("/{conversation_id}/close", summary="End a conversation")
async def close(conversation_id: str, directory: Conversations) -> ConversationOut:
    """The next text opens it again."""
    await directory.close(conversation_id)
    return await get_conversation(conversation_id, directory)


def _message(record: MessageRecord) -> MessageOut:
    return MessageOut.model_validate(record, from_attributes=True)
