"""What an operator does with a conversation: each a plain form, answered by the page as it is afterwards.

The address of a form has the query of the list beside the conversation, so that the way back leads there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from temporalio.client import WorkflowUpdateFailedError

from api.console import operator
from api.console.conversation import shown
from api.console.inbox import Asked, Filled, query_of
from api.console.page import Pages
from api.conversations import Everything
from runtime.directory import ConversationEnded, Directory
from workflows.approval import Decide
from workflows.contracts import NewNote, OperatorReply
from workflows.parked import Drop, Retry

router = APIRouter(prefix="/console", route_class=Pages, include_in_schema=False)

Form = Mapping[str, str]
Action = Callable[[Directory, str, str, Form], Awaitable[object]]

_MAX_DIGITS = 10
_YEAR = 365 * 86_400


async def _take(directory: Directory, conversation_id: str, me: str, _: Form) -> None:
    await directory.takeover(conversation_id, me)


async def _assign(directory: Directory, conversation_id: str, me: str, form: Form) -> None:
    await directory.assign(conversation_id, form.get("assignee", "").strip() or me)


async def _release(directory: Directory, conversation_id: str, _: str, __: Form) -> None:
    await directory.release(conversation_id)


async def _reply(directory: Directory, conversation_id: str, me: str, form: Form) -> None:
    await directory.reply(conversation_id, OperatorReply(author=me, text=_text(form), key=form.get("key", "")))


async def _note(directory: Directory, conversation_id: str, me: str, form: Form) -> None:
    await directory.note(conversation_id, NewNote(author=me, text=_text(form)))


async def _decide(directory: Directory, conversation_id: str, me: str, form: Form) -> None:
    answer = Decide(token=form.get("token", ""), by=me, note=form.get("note", ""))
    await directory.decide(conversation_id, answer, approved=form.get("verdict") == "approved")


async def _retry(directory: Directory, conversation_id: str, me: str, form: Form) -> None:
    again = Retry(turn=_turn(form), by=me, even_if_sent="even_if_sent" in form)
    await directory.retry_turn(conversation_id, again)


async def _drop(directory: Directory, conversation_id: str, me: str, form: Form) -> None:
    await directory.drop_turn(conversation_id, Drop(turn=_turn(form), by=me))


async def _close(directory: Directory, conversation_id: str, _: str, __: Form) -> None:
    await directory.close(conversation_id)


def _turn(form: Form) -> int:
    given = form.get("turn", "")
    if not (given.isascii() and given.isdecimal() and len(given) < _MAX_DIGITS):
        raise HTTPException(422, "turn: the number of a parked turn expected")
    return int(given)


def _text(form: Form) -> str:
    # Browsers end lines with two characters: https://url.spec.whatwg.org/#application/x-www-form-urlencoded
    return form.get("text", "").replace("\r\n", "\n").strip()


_ACTIONS: Mapping[str, Action] = {
    "takeover": _take,
    "assign": _assign,
    "release": _release,
    "reply": _reply,
    "note": _note,
    "decide": _decide,
    "retry": _retry,
    "drop": _drop,
    "close": _close,
}


@router.post("/me")
async def rename(form: Filled) -> Response:
    """Under which name this browser acts, where nobody needs a token."""
    answer = RedirectResponse("/console", status_code=303)
    name = form.get("name", "").strip()[: operator.LONGEST]
    answer.set_cookie(operator.COOKIE, quote(name), max_age=_YEAR, path="/console", httponly=True, samesite="strict")
    return answer


@router.post("/{conversation_id}/{action}")
async def act(
    request: Request, conversation_id: str, action: str, form: Filled, ingress: Everything, asked: Asked
) -> Response:
    """Do it, and show what has become of it; what was refused is shown with its reason and what was written."""
    if action not in _ACTIONS:
        raise HTTPException(404, f"action: there is {', '.join(_ACTIONS)}")
    try:
        await _ACTIONS[action](ingress.directory, conversation_id, operator.of(request).name, form)
    except WorkflowUpdateFailedError as refused:
        trouble = getattr(refused.cause, "message", None) or str(refused.cause)
    except ConversationEnded:
        trouble = "The conversation is closed; a text of the person opens it again."
    else:
        return RedirectResponse(f"/console/{conversation_id}{query_of(asked)}", status_code=303)
    return await shown(request, ingress, conversation_id, asked, trouble=trouble, draft=_text(form), status=409)
