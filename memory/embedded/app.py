"""The ASGI application: Qdrant's paths, envelopes and error bodies.

Paths and shapes are those of https://api.qdrant.tech/api-reference.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import qdrant_edge as edge
from pydantic import BaseModel, TypeAdapter, ValidationError
from qdrant_client import models
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from memory.embedded import translate
from memory.embedded.refusal import Refused, uncovered
from memory.embedded.shards import Collection, Shards

_log = logging.getLogger(__name__)

# The version of Qdrant whose REST this follows: clients compare it with their own.
VERSION = "1.20.0"

# Qdrant's own default, service.max_request_size_mb.
MAX_BODY = 32 * 1024 * 1024

# Seconds between flushes: what a power cut may cost. The death of the process costs nothing.
FLUSH_EVERY = 10.0

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

_INSERT: TypeAdapter[models.PointsBatch | models.PointsList] = TypeAdapter(models.PointInsertOperations)
_SELECTOR: TypeAdapter[models.PointIdsList | models.FilterSelector] = TypeAdapter(models.PointsSelector)


def create_app(path: Path) -> Starlette:
    """The application over the collections under `path`, which it opens at once and holds until shutdown.

    Without a lifespan (httpx.ASGITransport runs none) call `app.state.shards.close()` to let go of the directory.
    Raises RuntimeError if another process holds it.
    """
    shards = Shards(path)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        flushing = asyncio.create_task(_flush_at_intervals(shards))
        try:
            yield
        finally:
            flushing.cancel()
            await asyncio.to_thread(shards.close)

    one = "/collections/{name}"
    routes = [
        Route("/", _root),
        *(Route(probe, _healthy) for probe in ("/healthz", "/livez", "/readyz")),
        Route("/collections", _answer(_list_collections)),
        Route(one, _answer(_get_collection), methods=["GET"]),
        Route(one, _answer(_create_collection), methods=["PUT"]),
        Route(one, _answer(_delete_collection), methods=["DELETE"]),
        Route(f"{one}/exists", _answer(_collection_exists)),
        Route(f"{one}/index", _answer(_create_index), methods=["PUT"]),
        Route(f"{one}/points", _answer(_upsert), methods=["PUT"]),
        Route(f"{one}/points", _answer(_retrieve), methods=["POST"]),
        Route(f"{one}/points/delete", _answer(_delete_points), methods=["POST"]),
        Route(f"{one}/points/count", _answer(_count), methods=["POST"]),
        Route(f"{one}/points/scroll", _answer(_scroll), methods=["POST"]),
        Route(f"{one}/points/query", _answer(_query), methods=["POST"]),
    ]
    errors: dict[Any, Any] = {404: _uncovered_path, 405: _uncovered_path}
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=errors)
    app.state.shards = shards
    return app


async def _flush_at_intervals(shards: Shards) -> None:
    while True:
        await asyncio.sleep(FLUSH_EVERY)
        await asyncio.to_thread(shards.flush)


async def _root(_: Request) -> Response:
    return JSONResponse({"title": "qdrant - vector search engine", "version": VERSION, "commit": "embedded"})


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("healthz check passed")


async def _uncovered_path(request: Request, _: HTTPException) -> Response:
    return _error(uncovered(f"this {request.method} request"), time.perf_counter())


def _answer(handle: Callable[[Request, Shards], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
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


async def _body(request: Request) -> Any:
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


def _checked(validate: Callable[[Any], T], body: Any) -> T:
    try:
        return validate(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(400, f"Format error in JSON body: {where}: {first['msg']}") from None


async def _read(request: Request, model: type[M]) -> M:
    return _checked(model.model_validate, await _body(request))


def _named(request: Request, shards: Shards) -> Collection:
    return shards.get(request.path_params["name"])


async def _list_collections(_: Request, shards: Shards) -> Any:
    return {"collections": [{"name": name} for name in shards.names()]}


async def _collection_exists(request: Request, shards: Shards) -> Any:
    return {"exists": shards.find(request.path_params["name"]) is not None}


async def _create_collection(request: Request, shards: Shards) -> Any:
    description = await _read(request, models.CreateCollection)
    await asyncio.to_thread(shards.create, request.path_params["name"], description)
    return True


async def _delete_collection(request: Request, shards: Shards) -> Any:
    return await asyncio.to_thread(shards.delete, request.path_params["name"])


async def _get_collection(request: Request, shards: Shards) -> Any:
    collection = _named(request, shards)
    info = await asyncio.to_thread(collection.shard.info)
    described = collection.description.model_dump(mode="json", exclude_none=True)
    params = {key: described[key] for key in ("vectors", "sparse_vectors") if key in described}
    return {
        "status": "green",
        "optimizer_status": "ok",
        "points_count": info.points_count,
        "indexed_vectors_count": info.indexed_vectors_count,
        "segments_count": info.segments_count,
        "config": {
            "params": {**params, "shard_number": 1, "replication_factor": 1, "write_consistency_factor": 1},
            # Required by the client's model; none of it is in use, because nothing is ever optimised.
            "hnsw_config": {"m": 0, "ef_construct": 4, "full_scan_threshold": 10},
            "optimizer_config": {
                "deleted_threshold": 0.0,
                "vacuum_min_vector_number": 100,
                "default_segment_number": 0,
                "flush_interval_sec": int(FLUSH_EVERY),
            },
            "metadata": described.get("metadata"),
        },
        "payload_schema": {key: {"data_type": name, "points": 0} for key, name in collection.indexes.items()},
    }


async def _create_index(request: Request, shards: Shards) -> Any:
    collection, asked = _named(request, shards), await _read(request, models.CreateFieldIndex)
    if asked.field_schema is None:
        raise uncovered("a payload index without a schema")
    await asyncio.to_thread(collection.add_index, asked.field_name, asked.field_schema)
    return _done()


async def _upsert(request: Request, shards: Shards) -> Any:
    collection = _named(request, shards)
    asked = _checked(_INSERT.validate_python, await _body(request))
    if not isinstance(asked, models.PointsList) or asked.update_filter or asked.update_mode or asked.shard_key:
        raise uncovered("an upsert in batch form, with a condition or with a shard key")
    sizes, sparse = collection.sizes, collection.sparse
    points = [translate.point(given, sizes, sparse) for given in asked.points]
    await asyncio.to_thread(collection.update, edge.UpdateOperation.upsert_points(points))
    return _done()


async def _delete_points(request: Request, shards: Shards) -> Any:
    collection = _named(request, shards)
    asked = _checked(_SELECTOR.validate_python, await _body(request))
    if isinstance(asked, models.PointIdsList):
        operation = edge.UpdateOperation.delete_points([translate.point_id(row) for row in asked.points])
    else:
        only = translate.condition_filter(asked.filter)
        if only is None or not any((only.must, only.should, only.must_not)):
            raise Refused(400, "a deletion by filter needs a condition")  # an empty one would match everything
        operation = edge.UpdateOperation.delete_points_by_filter(only)
    await asyncio.to_thread(collection.update, operation)
    return _done()


async def _retrieve(request: Request, shards: Shards) -> Any:
    collection, asked = _named(request, shards), await _read(request, models.PointRequest)
    ids: list[int | UUID | str] = [translate.point_id(row) for row in asked.ids]
    payload = translate.selection(True if asked.with_payload is None else asked.with_payload)
    vector = translate.selection(asked.with_vector)
    found = await asyncio.to_thread(collection.shard.retrieve, ids, payload, vector)
    return [translate.record_out(row) for row in found]


async def _count(request: Request, shards: Shards) -> Any:
    collection, asked = _named(request, shards), await _read(request, models.CountRequest)
    only = translate.condition_filter(asked.filter)
    return {"count": await asyncio.to_thread(collection.shard.count, edge.CountRequest(exact=True, filter=only))}


async def _scroll(request: Request, shards: Shards) -> Any:
    collection, asked = _named(request, shards), await _read(request, models.ScrollRequest)
    if asked.order_by is not None or asked.shard_key is not None:
        raise uncovered("a scroll with order_by or shard_key")
    page = edge.ScrollRequest(
        offset=None if asked.offset is None else translate.point_id(asked.offset),
        limit=translate.limit(asked.limit),
        filter=translate.condition_filter(asked.filter),
        with_payload=translate.selection(True if asked.with_payload is None else asked.with_payload),
        with_vector=translate.selection(asked.with_vector),
    )
    rows, following = await asyncio.to_thread(collection.shard.scroll, page)
    return {
        "points": [translate.record_out(row) for row in rows],
        "next_page_offset": None if following is None else translate.id_out(following),
    }


async def _query(request: Request, shards: Shards) -> Any:
    collection, asked = _named(request, shards), await _read(request, models.QueryRequest)
    if asked.params is not None or asked.lookup_from is not None or asked.shard_key is not None:
        raise uncovered("a query with params, lookup_from or shard_key")
    sizes, sparse = collection.sizes, collection.sparse
    if asked.offset is not None and not 0 <= asked.offset <= translate.MAX_LIMIT:
        raise Refused(400, f"offset must be between 0 and {translate.MAX_LIMIT}")
    search = edge.QueryRequest(
        limit=translate.limit(asked.limit),
        offset=asked.offset,
        query=translate.query(asked.query, asked.using, sizes, sparse),
        prefetches=translate.prefetches(asked.prefetch, sizes, sparse),
        filter=translate.condition_filter(asked.filter),
        score_threshold=asked.score_threshold,
        with_payload=translate.selection(asked.with_payload),
        with_vector=translate.selection(asked.with_vector),
    )
    found = await asyncio.to_thread(collection.shard.query, search)
    return {"points": [translate.record_out(row) for row in found]}


def _done() -> dict[str, Any]:
    """Every write is applied before it is answered, whatever `wait` says."""
    return {"operation_id": 0, "status": "completed"}
