"""Turns that failed, over REST: listed, run again, let go."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from api import problems, tokens
from api.conversations import Conversations, Limit, get_conversation
from api.shapes import ConversationDetail, DropIn, ParkedOut, ParkedPage, RetryIn
from workflows.parked import Drop, Retry

router = APIRouter(
    prefix="/v1",
    tags=["parked"],
    dependencies=[Depends(tokens.required)],
    responses=problems.documented(400, 401, 403, 404, 409, 410, 422, 503),
)

TurnNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/parked", summary="List parked turns")
async def list_parked(directory: Conversations, limit: Limit = 50, cursor: str | None = None) -> ParkedPage:
    """Of at most `limit` open conversations, latest first; one has up to 20. A change takes about a second to be
    listed."""
    page = await directory.parked(limit=limit, cursor=cursor)
    items = [
        ParkedOut(
            conversation_id=item.conversation_id,
            channel=item.channel,
            contact_id=item.contact_id,
            **asdict(item.turn),
        )
        for item in page.items
    ]
    return ParkedPage(items=items, next_cursor=page.next_cursor, silent=list(page.silent))


@router.post("/conversations/{conversation_id}/turns/{turn}/retry", summary="Run a parked turn again")
async def retry(
    conversation_id: str, turn: TurnNumber, body: RetryIn, directory: Conversations, by: tokens.By
) -> ConversationDetail:
    """Its texts get a turn of their own, after what waits. 404 where it is not parked (any more); 409 after STOP, while
    a human has the conversation, or where the answer may have left and `even_if_sent` is not set; 410 where its texts
    are not kept any more."""
    await directory.retry_turn(
        conversation_id, Retry(turn=turn, by=by.named(body.by, "by"), even_if_sent=body.even_if_sent)
    )
    return await get_conversation(conversation_id, directory)


@router.post("/conversations/{conversation_id}/turns/{turn}/drop", summary="Let a parked turn go")
async def drop(
    conversation_id: str, turn: TurnNumber, body: DropIn, directory: Conversations, by: tokens.By
) -> ConversationDetail:
    """Nothing more is done for its texts, and they are not kept."""
    await directory.drop_turn(conversation_id, Drop(turn=turn, by=by.named(body.by, "by")))
    return await get_conversation(conversation_id, directory)
