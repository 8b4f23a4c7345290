"""The search attributes of a Temporal namespace: lists of conversations are filtered by them."""

from __future__ import annotations

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from workflows import index

log = structlog.get_logger(__name__)

_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
}

# Temporal Cloud keeps this to its own tools.
_NOT_OURS_TO_DO = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED})


class SearchAttributesMissing(ValueError):
    """They are not there, and we may not make them; the message is the command that does."""


def command(namespace: str) -> str:
    """What an administrator runs instead of us."""
    flags = " ".join(f"--name {name} --type {kind}" for name, kind in index.TYPES.items())
    return f"temporal operator search-attribute create --namespace {namespace} {flags}"


def server_flags() -> tuple[str, ...]:
    """For a development server, which makes them itself."""
    return tuple(part for name, kind in index.TYPES.items() for part in ("--search-attribute", f"{name}={kind}"))


async def ensure(client: Client) -> tuple[str, ...]:
    """Make those that are missing; their names. Any number of processes may do so at once.

    Raises:
        SearchAttributesMissing: some are missing, or have another type.
    """
    try:
        found = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        if error.status not in _NOT_OURS_TO_DO:
            raise
        log.warning("search attributes cannot be looked at here; without them no filter works", make=command("…"))
        return ()
    have = {**found.custom_attributes}
    wrong = [name for name, kind in index.TYPES.items() if name in have and have[name] != _TYPES[kind]]
    if wrong:
        raise SearchAttributesMissing(f"search attributes of another type are in the way: {', '.join(wrong)}")
    missing = {name: _TYPES[kind] for name, kind in index.TYPES.items() if name not in have}
    if missing:
        await _make(client, missing)
    return tuple(missing)


async def _make(client: Client, missing: dict[str, IndexedValueType.ValueType]) -> None:
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return
        raise SearchAttributesMissing(
            f"search attributes are missing and cannot be made from here ({error.message}); "
            f"run: {command(client.namespace)}"
        ) from error
