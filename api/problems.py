"""Errors as RFC 9457 problem documents: what is wrong, which field, what is allowed. Never a body or a number."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from temporalio.client import WorkflowUpdateFailedError

from messaging import errors
from runtime.directory import ConversationEnded, InvalidCursor, NoWorker, UnknownConversation
from runtime.errands import KeyReused, ProviderRefused
from runtime.identity import Unresolved
from runtime.intake import REFILL, SenderOverBudget
from runtime.spool import SpoolUnusable
from runtime.temporal import TemporalUnreachable

log = structlog.get_logger(__name__)

# Twilio's own retry, where one is configured, comes within seconds.
RETRY_AFTER = "5"


def problem(status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem document. `code` is stable, `detail` is for people."""
    return JSONResponse(
        {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail},
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


class Problem(BaseModel):
    """https://www.rfc-editor.org/rfc/rfc9457, with a stable `code`."""

    type: str
    title: str
    status: int
    code: str
    detail: str


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that the routes of a router answer with, for the OpenAPI document."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    for kind, answer in _ANSWERS.items():
        app.add_exception_handler(kind, _handler(answer))


def _handler(answer: Callable[[Any], JSONResponse]) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def handle(_: Request, error: Exception) -> JSONResponse:
        return answer(error)

    return handle


def _invalid(error: RequestValidationError) -> JSONResponse:
    wrong = "; ".join(f"{'.'.join(map(str, e['loc'][1:])) or e['loc'][0]}: {e['msg']}" for e in error.errors())
    return problem(422, "invalid_input", wrong)


def _http(error: HTTPException) -> JSONResponse:
    code = HTTPStatus(error.status_code).name.lower()
    return problem(error.status_code, code, error.detail, headers=error.headers)


def _update_refused(error: WorkflowUpdateFailedError) -> JSONResponse:
    code = getattr(error.cause, "type", None) or "conflict"
    detail = getattr(error.cause, "message", None) or str(error.cause)
    return problem(_REFUSALS.get(code, 409), code, detail)


def _refused_by_provider(error: ProviderRefused) -> JSONResponse:
    # What the provider finds wrong is the caller's to put right; the rest is between the provider and us.
    status = 404 if error.code == errors.ErrorCode.PARTICIPANT_NOT_FOUND else 502
    return problem(422 if error.code in _CALLERS_FAULT else status, error.code, error.reason)


def _internal(error: Exception) -> JSONResponse:
    log.error("request failed", exc_info=error)
    return problem(500, "internal_error", "this is our fault; it has been logged")


def _busy(code: str, detail: str) -> JSONResponse:
    return problem(503, code, detail, headers={"Retry-After": RETRY_AFTER})


# What a conversation calls its refusals; all others are conflicts with how it stands.
_REFUSALS: Mapping[str, int] = {"invalid_input": 422, "approval_not_found": 404, "turn_not_parked": 404, "gone": 410}

_CALLERS_FAULT = frozenset(
    {
        errors.ErrorCode.INVALID_INPUT.value,
        errors.ErrorCode.INVALID_PARTICIPANT.value,
        errors.ErrorCode.INVALID_CONVERSATION.value,
        errors.ErrorCode.UNSUPPORTED_PROVIDER.value,
        errors.ErrorCode.INVALID_CONFIG.value,
    }
)

_ANSWERS: Mapping[type[Exception], Callable[[Any], JSONResponse]] = {
    errors.InvalidSignature: lambda e: problem(403, e.code.value, e.message),
    errors.InvalidWebhook: lambda e: problem(400, e.code.value, e.message),
    TemporalUnreachable: lambda _: _busy("temporal_unreachable", "nothing was taken; send it again"),
    SpoolUnusable: lambda e: _busy("spool_unusable", f"nothing was taken; the spool is {e.reason}"),
    SenderOverBudget: lambda _: problem(
        429,
        "sender_over_budget",
        "nothing was taken: this sender texts faster than MESSAGING_SENDER_RATE, and too many of their texts wait",
        headers={"Retry-After": str(REFILL)},
    ),
    Unresolved: lambda e: _busy("contact_unresolved", f"nothing was taken; {e}"),
    NoWorker: lambda _: _busy("no_worker", "no worker answers for this conversation"),
    UnknownConversation: lambda _: problem(404, "conversation_not_found", "there is no conversation of this id"),
    ConversationEnded: lambda _: problem(
        409, "conversation_closed", "the conversation is closed; a text opens it again"
    ),
    KeyReused: lambda _: problem(422, "idempotency_key_reused", "Idempotency-Key: another request came under this key"),
    ProviderRefused: _refused_by_provider,
    InvalidCursor: lambda e: problem(422, "invalid_input", str(e)),
    WorkflowUpdateFailedError: _update_refused,
    # Nobody reads the answer; it is here so that a caller who hangs up is not logged as our fault.
    ClientDisconnect: lambda _: problem(400, "client_disconnected", "the body ended early"),
    RequestValidationError: _invalid,
    HTTPException: _http,
    Exception: _internal,
}
