"""Qdrant's REST models to the in-process engine's, and its results back.

The models are those of qdrant-client, so that what is valid is decided by Qdrant's own schema. Everything that has no
row here is refused with 501 rather than ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import qdrant_edge as edge
from qdrant_client import models

from memory.embedded.refusal import Refused, uncovered

# A page larger than this is a mistake of the caller's, and the engine would set memory aside for it.
MAX_LIMIT = 10_000

# Qdrant's own limit for a vector's dimension.
_MAX_SIZE = 65_536

_DISTANCES = {
    models.Distance.COSINE: edge.Distance.Cosine,
    models.Distance.EUCLID: edge.Distance.Euclid,
    models.Distance.DOT: edge.Distance.Dot,
    models.Distance.MANHATTAN: edge.Distance.Manhattan,
}

_SCHEMAS = {
    "keyword": edge.PayloadSchemaType.Keyword,
    "integer": edge.PayloadSchemaType.Integer,
    "float": edge.PayloadSchemaType.Float,
    "bool": edge.PayloadSchemaType.Bool,
    "datetime": edge.PayloadSchemaType.Datetime,
    "uuid": edge.PayloadSchemaType.Uuid,
}


def config(request: models.CreateCollection) -> edge.EdgeConfig:
    """The engine's configuration for a new collection."""
    _only(request, {"vectors", "sparse_vectors", "metadata", "on_disk_payload"}, "create_collection")
    given = request.vectors
    named = {"": given} if isinstance(given, models.VectorParams) else dict(given or {})
    vectors = {}
    for name, params in named.items():
        _only(params, {"size", "distance", "on_disk"}, "vector parameter")
        if not 1 <= params.size <= _MAX_SIZE:
            raise Refused(400, f"a vector's size must be between 1 and {_MAX_SIZE}")
        vectors[name] = edge.EdgeVectorParams(params.size, _DISTANCES[params.distance])
    sparse = {}
    for name, options in (request.sparse_vectors or {}).items():
        _only(options, {"modifier"}, "sparse vector parameter")
        modifier = edge.Modifier.Idf if options.modifier is models.Modifier.IDF else None
        sparse[name] = edge.EdgeSparseVectorParams(modifier=modifier)
    if not vectors and not sparse:
        raise Refused(400, "a collection needs at least one vector")
    return edge.EdgeConfig(vectors=vectors or None, sparse_vectors=sparse or None)


def index_schema(schema: Any) -> tuple[str, edge.PayloadSchemaType]:
    """Name and engine's type of a payload index. Its tuning options change speed only and are left out."""
    name = str(getattr(schema, "type", schema))
    name = getattr(getattr(schema, "type", schema), "value", name)
    if name not in _SCHEMAS:
        raise uncovered(f"a payload index of type {name}")
    return name, _SCHEMAS[name]


def point(given: models.PointStruct, sizes: Mapping[str, int], sparse: Sequence[str]) -> edge.Point:
    """Checks what the engine would refuse only after it has logged the operation."""
    vector = given.vector
    named = vector if isinstance(vector, dict) else {"": vector}
    for name, value in named.items():
        if name in sizes:
            _check_dense(value, name, sizes[name])
        elif name in sparse:
            if not isinstance(value, models.SparseVector):
                raise Refused(400, f"vector {name!r} must be sparse: indices and values")
        else:
            raise Refused(400, f"the collection has no vector {name!r}")
    translated = {name: _vector(value) for name, value in named.items()}
    return edge.Point(point_id(given.id), translated.get("") or translated, given.payload or {})


def point_id(given: Any) -> int | UUID:
    if isinstance(given, UUID):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        if 0 <= given < 2**64:
            return given
    elif isinstance(given, str):
        try:
            return UUID(given)
        except ValueError:
            pass
    raise Refused(400, "a point id is an unsigned integer or a UUID")


def query(given: Any, using: str | None, sizes: Mapping[str, int], sparse: Sequence[str]) -> Any:
    """A vector to search by, or a way to fuse prefetches."""
    if isinstance(given, models.NearestQuery):
        _only(given, {"nearest"}, "nearest query")
        given = given.nearest
    if isinstance(given, models.FusionQuery):
        return edge.Fusion.Rrf(k=2) if given.fusion is models.Fusion.RRF else edge.Fusion.Dbsf()
    if isinstance(given, models.RrfQuery):
        return edge.Fusion.Rrf(k=given.rrf.k or 2, weights=given.rrf.weights)
    name = using or ""
    if isinstance(given, models.SparseVector):
        if name not in sparse:
            raise Refused(400, f"the collection has no sparse vector {name!r}")
        return edge.Query.Nearest(_vector(given), using=name)
    if isinstance(given, list):
        if name not in sizes:
            raise Refused(400, f"the collection has no vector {name!r}")
        _check_dense(given, name, sizes[name])
        return edge.Query.Nearest(given, using=name or None)
    raise uncovered(f"a query of type {type(given).__name__}")


def prefetches(given: Any, sizes: Mapping[str, int], sparse: Sequence[str]) -> list[edge.Prefetch]:
    rows = given if isinstance(given, list) else [given] if given else []
    result = []
    for row in rows:
        _only(row, {"prefetch", "query", "using", "filter", "score_threshold", "limit"}, "prefetch")
        result.append(
            edge.Prefetch(
                limit=limit(row.limit),
                query=query(row.query, row.using, sizes, sparse),
                prefetches=prefetches(row.prefetch, sizes, sparse),
                filter=condition_filter(row.filter),
                score_threshold=row.score_threshold,
            )
        )
    return result


def limit(given: int | None, default: int = 10) -> int:
    value = default if given is None else given
    if not 1 <= value <= MAX_LIMIT:
        raise Refused(400, f"limit must be between 1 and {MAX_LIMIT}")
    return value


def condition_filter(given: models.Filter | None) -> edge.Filter | None:
    if given is None:
        return None
    _only(given, {"must", "should", "must_not"}, "filter")
    return edge.Filter(
        must=_conditions(given.must), should=_conditions(given.should), must_not=_conditions(given.must_not)
    )


def selection(given: Any) -> Any:
    """`with_payload` or `with_vector`: a flag or a list of names."""
    if given is None or isinstance(given, bool | list):
        return given
    raise uncovered("a payload selector with include or exclude")


def vector_out(given: Any) -> Any:
    if isinstance(given, dict):
        return {name: vector_out(value) for name, value in given.items()}
    if isinstance(given, edge.SparseVector):
        return {"indices": list(given.indices), "values": list(given.values)}
    return given


def record_out(given: Any) -> dict[str, Any]:
    """A found or scrolled point as Qdrant writes it."""
    row: dict[str, Any] = {"id": id_out(given.id), "payload": given.payload, "vector": vector_out(given.vector)}
    if isinstance(given, edge.ScoredPoint):
        row |= {"version": given.version, "score": given.score}
    return row


def id_out(given: int | UUID | str) -> int | str:
    return given if isinstance(given, int) else str(given)


def _vector(given: Any) -> Any:
    if isinstance(given, models.SparseVector):
        if len(given.indices) != len(given.values) or len(set(given.indices)) != len(given.indices):
            raise Refused(400, "a sparse vector needs one value for each of its distinct indices")
        if not all(0 <= i < 2**32 for i in given.indices) or not all(map(math.isfinite, given.values)):
            raise Refused(400, "a sparse vector's indices are 32-bit and its values finite")
        return edge.SparseVector(indices=given.indices, values=given.values)
    return given


def _check_dense(value: Any, name: str, size: int) -> None:
    if not isinstance(value, list) or not all(isinstance(x, int | float) for x in value):
        raise uncovered(f"vector {name!r} in another form than a list of numbers")
    if len(value) != size:
        raise Refused(400, f"Vector dimension error: expected dim: {size}, got {len(value)}")
    if not all(math.isfinite(x) for x in value):
        raise Refused(400, f"vector {name!r} holds a number that is not finite")


def _conditions(given: Any) -> list[Any] | None:
    if given is None:
        return None
    return [_condition(row) for row in (given if isinstance(given, list) else [given])]


def _condition(given: Any) -> Any:
    if isinstance(given, models.Filter):
        return condition_filter(given)
    if isinstance(given, models.HasIdCondition):
        return edge.HasIdCondition({point_id(row) for row in given.has_id})
    if isinstance(given, models.IsEmptyCondition):
        return edge.IsEmptyCondition(given.is_empty.key)
    if isinstance(given, models.FieldCondition):
        _only(given, {"key", "match", "range"}, "field condition")
        return edge.FieldCondition(given.key, match=_match(given.match), range=_range(given.range))
    raise uncovered(f"a condition of type {type(given).__name__}")


def _match(given: Any) -> Any:
    match given:
        case None:
            return None
        case models.MatchValue():
            return edge.MatchValue(given.value)
        case models.MatchAny():
            return edge.MatchAny(given.any)
        case models.MatchExcept():
            return edge.MatchExcept(given.except_)
        case _:
            raise uncovered(f"a match of type {type(given).__name__}")


def _range(given: Any) -> Any:
    match given:
        case None:
            return None
        case models.Range():
            return edge.RangeFloat(gte=given.gte, gt=given.gt, lte=given.lte, lt=given.lt)
        case _:
            bounds = {name: getattr(given, name) for name in ("gte", "gt", "lte", "lt")}
            return edge.RangeDateTime(**{name: at.isoformat() for name, at in bounds.items() if at is not None})


def _only(given: Any, allowed: set[str], what: str) -> None:
    """Refuses what was asked for and would be ignored."""
    asked = {name for name in given.model_fields_set if getattr(given, name) is not None}
    if extra := sorted(asked - allowed):
        raise uncovered(f"{what} {', '.join(extra)}")
