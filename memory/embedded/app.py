"""The ASGI application: Qdrant's paths, and what each of them does.

Paths and shapes are those of https://api.qdrant.tech/api-reference.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import qdrant_edge as edge
from pydantic import TypeAdapter
from qdrant_client import models
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from memory.embedded import translate
from memory.embedded.envelope import answer, body, checked, read, uncovered_path
from memory.embedded.refusal import Refused, uncovered
from memory.embedded.shards import Collection, Shards

# The version of Qdrant whose REST this follows: clients compare it with their own.
VERSION = "1.20.0"

# Seconds between flushes: what a power cut may cost. The death of the process costs nothing.
FLUSH_EVERY = 10.0

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
        Route("/collections", answer(_list_collections)),
        Route(one, answer(_get_collection), methods=["GET"]),
        Route(one, answer(_create_collection), methods=["PUT"]),
        Route(one, answer(_update_collection), methods=["PATCH"]),
        Route(one, answer(_delete_collection), methods=["DELETE"]),
        Route(f"{one}/exists", answer(_collection_exists)),
        Route(f"{one}/index", answer(_create_index), methods=["PUT"]),
        Route(f"{one}/points", answer(_upsert), methods=["PUT"]),
        Route(f"{one}/points", answer(_retrieve), methods=["POST"]),
        Route(f"{one}/points/payload", answer(_set_payload), methods=["POST"]),
        Route(f"{one}/points/delete", answer(_delete_points), methods=["POST"]),
        Route(f"{one}/points/count", answer(_count), methods=["POST"]),
        Route(f"{one}/points/scroll", answer(_scroll), methods=["POST"]),
        Route(f"{one}/points/query", answer(_query), methods=["POST"]),
    ]
    errors: dict[Any, Any] = {404: uncovered_path, 405: uncovered_path}
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


def _named(request: Request, shards: Shards) -> Collection:
    return shards.get(request.path_params["name"])


async def _list_collections(_: Request, shards: Shards) -> Any:
    return {"collections": [{"name": name} for name in shards.names()]}


async def _collection_exists(request: Request, shards: Shards) -> Any:
    return {"exists": shards.find(request.path_params["name"]) is not None}


async def _create_collection(request: Request, shards: Shards) -> Any:
    description = await read(request, models.CreateCollection)
    await asyncio.to_thread(shards.create, request.path_params["name"], description)
    return True


async def _update_collection(request: Request, shards: Shards) -> Any:
    collection, asked = _named(request, shards), await read(request, models.UpdateCollection)
    if asked.metadata is None or asked.model_fields_set - {"metadata"}:
        raise uncovered("a change of a collection in anything but its metadata")
    await asyncio.to_thread(collection.add_metadata, asked.metadata)
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
    collection, asked = _named(request, shards), await read(request, models.CreateFieldIndex)
    if asked.field_schema is None:
        raise uncovered("a payload index without a schema")
    await asyncio.to_thread(collection.add_index, asked.field_name, asked.field_schema)
    return _done()


async def _upsert(request: Request, shards: Shards) -> Any:
    collection = _named(request, shards)
    asked = checked(_INSERT.validate_python, await body(request))
    if not isinstance(asked, models.PointsList) or asked.update_filter or asked.update_mode or asked.shard_key:
        raise uncovered("an upsert in batch form, with a condition or with a shard key")
    sizes, sparse = collection.sizes, collection.sparse
    points = [translate.point(given, sizes, sparse) for given in asked.points]
    await asyncio.to_thread(collection.update, edge.UpdateOperation.upsert_points(points))
    return _done()


async def _set_payload(request: Request, shards: Shards) -> Any:
    collection, asked = _named(request, shards), await read(request, models.SetPayload)
    if asked.shard_key is not None or asked.key is not None or (asked.points is None) == (asked.filter is None):
        raise uncovered("a payload change with a key, a shard key, or with not exactly one of points and filter")
    if asked.points is not None:
        ids: list[int | UUID | str] = [translate.point_id(row) for row in asked.points]
        operation = edge.UpdateOperation.set_payload(ids, asked.payload)
    else:
        operation = edge.UpdateOperation.set_payload_by_filter(_conditional(asked.filter, "a change"), asked.payload)
    await asyncio.to_thread(collection.update, operation)
    return _done()


async def _delete_points(request: Request, shards: Shards) -> Any:
    collection = _named(request, shards)
    asked = checked(_SELECTOR.validate_python, await body(request))
    if isinstance(asked, models.PointIdsList):
        operation = edge.UpdateOperation.delete_points([translate.point_id(row) for row in asked.points])
    else:
        operation = edge.UpdateOperation.delete_points_by_filter(_conditional(asked.filter, "a deletion"))
    await asyncio.to_thread(collection.update, operation)
    return _done()


def _conditional(given: models.Filter | None, what: str) -> edge.Filter:
    only = translate.condition_filter(given)
    if only is None or not any((only.must, only.should, only.must_not)):
        raise Refused(400, f"{what} by filter needs a condition")  # an empty one would match everything
    return only


async def _retrieve(request: Request, shards: Shards) -> Any:
    collection, asked = _named(request, shards), await read(request, models.PointRequest)
    ids: list[int | UUID | str] = [translate.point_id(row) for row in asked.ids]
    payload = translate.selection(True if asked.with_payload is None else asked.with_payload)
    vector = translate.selection(asked.with_vector)
    found = await asyncio.to_thread(collection.shard.retrieve, ids, payload, vector)
    return [translate.record_out(row) for row in found]


async def _count(request: Request, shards: Shards) -> Any:
    collection, asked = _named(request, shards), await read(request, models.CountRequest)
    only = translate.condition_filter(asked.filter)
    return {"count": await asyncio.to_thread(collection.shard.count, edge.CountRequest(exact=True, filter=only))}


async def _scroll(request: Request, shards: Shards) -> Any:
    collection, asked = _named(request, shards), await read(request, models.ScrollRequest)
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
    collection, asked = _named(request, shards), await read(request, models.QueryRequest)
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
