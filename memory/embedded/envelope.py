"""Qdrant's envelopes: a JSON body in, a result or an error out."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from memory.embedded.refusal import Refused, uncovered
from memory.embedded.shards import Shards

_log = logging.getLogger(__name__)

# Qdrant's own default, service.max_request_size_mb.
MAX_BODY = 32 * 1024 * 1024

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


async def uncovered_path(request: Request, _: HTTPException) -> Response:
    return _error(uncovered(f"this {request.method} request"), time.perf_counter())


def answer(handle: Callable[[Request, Shards], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    """Wraps results and errors the way Qdrant does."""

    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        try:
            result = await handle(request, request.app.state.shards)
        except Refused as refused:
            return _error(refused, started)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            return _error(Refused(400, f"Wrong input: {type(error).__name__}"), started)
        except Exception as error:  # noqa: BLE001 - the engine raises nothing narrower
            # Input was checked before: this is a full disk or a damaged file. The engine's text names no content.
            _log.error("the engine failed: %s", error)
            return _error(Refused(500, "Service internal error"), started)
        return JSONResponse({"result": result, "status": "ok", "time": time.perf_counter() - started})

    return endpoint


def _error(refused: Refused, started: float) -> Response:
    body = {"status": {"error": refused.message}, "time": time.perf_counter() - started}
    return JSONResponse(body, status_code=refused.status)


async def body(request: Request) -> Any:
    """The JSON body. Another content type is refused: a web page may post those to a local port unasked."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "the body must be application/json")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise Refused(413, f"JSON payload is larger than allowed (limit: {MAX_BODY} bytes)")
        chunks.append(chunk)
    try:
        return json.loads(b"".join(chunks))
    except (ValueError, RecursionError):
        raise Refused(400, "Format error in JSON body") from None


def checked(validate: Callable[[Any], T], given: Any) -> T:
    """What pydantic makes of it. Raises Refused, naming the field."""
    try:
        return validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(400, f"Format error in JSON body: {where}: {first['msg']}") from None


async def read(request: Request, model: type[M]) -> M:
    """The body as one of Qdrant's own models. Raises Refused."""
    return checked(model.model_validate, await body(request))
