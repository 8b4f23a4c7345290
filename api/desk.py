"""What people at a desk do with a conversation over REST: take it, hand it on, decide, note, close, let others in."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Depends, Response

from api import problems, tokens
from api.conversations import Conversations, Everything, Key, get_conversation
from api.shapes import (
    AssigneeIn,
    ConversationDetail,
    DecisionIn,
    NoteIn,
    ParticipantIn,
    ParticipantOut,
    ParticipantPage,
)
from messaging.model import Address
from workflows.approval import Decide
from workflows.contracts import NewNote
from workflows.errands import Attendee

router = APIRouter(
    prefix="/v1/conversations/{conversation_id}",
    tags=["desk"],
    dependencies=[Depends(tokens.required)],
    responses=problems.documented(400, 401, 403, 404, 409, 422, 502, 503),
)


@router.post("/takeover", summary="Let a human answer")
async def takeover(
    conversation_id: str, body: AssigneeIn, directory: Conversations, by: tokens.By
) -> ConversationDetail:
    """The agent is silent until released; a draft in writing is not sent. 409 if somebody else has taken over."""
    await directory.takeover(conversation_id, by.named(body.assignee, "assignee"))
    return await get_conversation(conversation_id, directory)


@router.post("/assign", summary="Let another human answer")
async def assign(conversation_id: str, body: AssigneeIn, directory: Conversations, by: tokens.By) -> ConversationDetail:
    """Whoever has it now."""
    await directory.assign(conversation_id, by.named(body.assignee, "assignee"))
    return await get_conversation(conversation_id, directory)


@router.post("/release", summary="Let the agent answer again")
async def release(conversation_id: str, directory: Conversations) -> ConversationDetail:
    """From the next text on."""
    await directory.release(conversation_id)
    return await get_conversation(conversation_id, directory)


@router.post("/note", summary="Leave a note")
async def note(conversation_id: str, body: NoteIn, directory: Conversations, by: tokens.By) -> ConversationDetail:
    """For the colleagues and the agent; the person never sees it."""
    await directory.note(conversation_id, NewNote(author=by.named(body.author, "author"), text=body.text))
    return await get_conversation(conversation_id, directory)


@router.post("/approve", summary="Say yes to a step's question")
async def approve(
    conversation_id: str, body: DecisionIn, directory: Conversations, by: tokens.By
) -> ConversationDetail:
    """The questions are in `approvals`. The same answer again is no error; 409 where it was decided otherwise."""
    await directory.decide(conversation_id, _decision(body, by), approved=True)
    return await get_conversation(conversation_id, directory)


@router.post("/decline", summary="Say no to a step's question")
async def decline(
    conversation_id: str, body: DecisionIn, directory: Conversations, by: tokens.By
) -> ConversationDetail:
    """As approve."""
    await directory.decide(conversation_id, _decision(body, by), approved=False)
    return await get_conversation(conversation_id, directory)


@router.post("/close", summary="End a conversation")
async def close(conversation_id: str, directory: Conversations) -> ConversationDetail:
    """The next text opens it again."""
    await directory.close(conversation_id)
    return await get_conversation(conversation_id, directory)


@router.get("/participants", summary="Who is in it")
async def list_participants(conversation_id: str, ingress: Everything) -> ParticipantPage:
    """As the provider tells, where it does; everybody is on the one page."""
    there = await ingress.errands.attend(await ingress.directory.get(conversation_id), key=uuid.uuid4().hex)
    return ParticipantPage(items=[_participant(one) for one in there.people], next_cursor=None)


@router.post("/participants", summary="Let somebody in", status_code=201)
async def add_participant(conversation_id: str, body: ParticipantIn, key: Key, ingress: Everything) -> ParticipantOut:
    """Where the provider knows participants. Who is there already is answered as such."""
    address = Address.parse(body.address) if body.address else None
    came = await ingress.errands.attend(
        await ingress.directory.get(conversation_id), key=key, identity=body.identity, address=address
    )
    return _participant(came.people[0])


@router.delete("/participants/{participant_sid}", summary="Have somebody leave", status_code=204)
async def remove_participant(conversation_id: str, participant_sid: str, key: Key, ingress: Everything) -> Response:
    """Where the provider knows participants."""
    await ingress.errands.attend(await ingress.directory.get(conversation_id), key=key, leaves=participant_sid)
    return Response(status_code=204)


def _decision(body: DecisionIn, by: tokens.Caller) -> Decide:
    return Decide(token=body.token, by=by.named(body.by, "by"), note=body.note)


def _participant(there: Attendee) -> ParticipantOut:
    return ParticipantOut(sid=there.sid, identity=there.identity or None, address=there.address or None)
