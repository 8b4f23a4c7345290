"""Talking to Qdrant: every call bounded in time, and every failure translated, here and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from memory.store import MemoryUnavailable


class CollectionGone(MemoryUnavailable):
    """Somebody deleted the collection, or it was not made yet."""


_NOT_FOUND = 404


@asynccontextmanager
async def talking(timeout: float) -> AsyncIterator[None]:
    """At most `timeout` seconds for what is inside. Raises MemoryUnavailable."""
    try:
        async with asyncio.timeout(timeout):
            yield
    except TimeoutError as error:
        raise MemoryUnavailable(f"no answer within {timeout:g} s") from error
    except UnexpectedResponse as error:
        # Its text holds the response body, which may hold content.
        kind = CollectionGone if error.status_code == _NOT_FOUND else MemoryUnavailable
        raise kind(f"Qdrant answered {error.status_code}") from None
    except (ApiException, QdrantException, httpx.HTTPError) as error:
        raise MemoryUnavailable(f"Qdrant cannot be reached ({type(error).__name__})") from error
    except (ValueError, KeyError):  # no JSON, or not of Qdrant's shape: a proxy's page, another service
        raise MemoryUnavailable("what answered is not Qdrant, or its data is not ours") from None
