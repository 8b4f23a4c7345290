"""The SDK's HTTP client, ours: the one it ships ignores its time-out and can send a POST twice.

One pooled connection set. It times out, never retries, and turns what is no success into an error of the core here,
while the response's headers are still at hand; the SDK sees only successes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import httpx
from twilio.http import AsyncHttpClient  # type: ignore[import-untyped] # the SDK ships no types
from twilio.http.response import Response  # type: ignore[import-untyped]

from messaging import egress, errors
from messaging.providers.twilio import dates, error_table
from messaging.providers.twilio.written import WRITTEN

ORIGINAL_HOST = "X-Sim-Original-Host"
_PROVIDER_DOMAIN = ".twilio.com"
# A connection is there within a few round trips or not at all; the rest of the time belongs to the answer.
_MAX_CONNECT = 5.0
# Far above the 100 requests that Twilio takes at once before it answers 429.
_LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=30)
_MAX_RETRY_AFTER = 3600.0
# A page of 1,000 messages with the longest bodies is a few MB.
_MAX_ANSWER = 16 * 1024 * 1024
_CHUNK = 64 * 1024

# Raised before the first byte of the request was written.
_BEFORE_WRITE: tuple[type[Exception], ...] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


def _without_query(record: logging.LogRecord) -> bool:
    """httpx logs every URL at INFO, and the query of a list of messages holds the numbers of two people."""
    if isinstance(record.args, tuple):
        record.args = tuple(arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args)
    return True


class Transport(AsyncHttpClient):  # type: ignore[misc] # the SDK ships no types
    """Sends the SDK's requests. `base_url` takes every `*.twilio.com` call; the host meant goes into a header."""

    def __init__(
        self, *, timeout: float, base_url: str | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(logging.getLogger(__name__), True, None)
        logging.getLogger("httpx").addFilter(_without_query)  # adding it again changes nothing
        self._seconds = timeout
        self._base = urlsplit(base_url) if base_url else None
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout, connect=min(timeout, _MAX_CONNECT)),
            limits=_LIMITS,
            follow_redirects=False,
            transport=transport,
        )
        # What people attach comes by URLs of others. Only `base_url`, which is the operator's own word, may be inside.
        self._outside = httpx.AsyncClient(
            timeout=self._client.timeout,
            follow_redirects=False,
            transport=transport or egress.transport(_places(self._base), _LIMITS),
        )

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send once.

        Raises:
            errors.MessagingError: classified, without `op`.
        """
        del timeout, allow_redirects  # one time-out for all, and credentials follow no redirect
        body = _body(headers or {}, data)
        writes = method.upper() == "POST"
        return await self._send(
            method.upper(), url, writes=writes, params=params or None, headers=headers, auth=auth, **body
        )

    async def upload(self, url: str, content: bytes, *, content_type: str, auth: tuple[str, str]) -> Response:
        """Send bytes as they are. Doing it twice does no harm, so an unknown outcome is simply repeated.

        Raises:
            errors.MessagingError: classified, without `op`.
        """
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        return await self._send("POST", url, writes=False, headers=headers, auth=auth, content=content)

    async def _send(
        self, method: str, url: str, *, writes: bool, headers: Mapping[str, str] | None, **parts: Any
    ) -> Response:
        target, extra = self._target(url)
        auth = parts.pop("auth", None)
        request = self._client.build_request(method, target, headers={**(headers or {}), **extra}, **parts)
        WRITTEN.set(True)
        with self._failures(writes=writes):
            async with asyncio.timeout(self._seconds):
                response = await self._client.send(request, auth=auth, stream=True)
                try:
                    content = await _read(response)
                finally:
                    await response.aclose()
        if content is None:
            raise _lost(errors.NetworkError, f"the answer is larger than {_MAX_ANSWER} bytes", written=writes)
        return _accept(response, content, writes=writes)

    @asynccontextmanager
    async def open(self, url: str, *, auth: tuple[str, str] | None = None) -> AsyncIterator[httpx.Response]:
        """Begin to read what may be large: the body comes inside, as it is, and within the same time-out.

        Args:
            auth: For the provider's hosts and `base_url`. Without it, any URL goes.

        Raises:
            errors.InvalidInput: the host has no public address.
            errors.NetworkError: retryable.
        """
        target, extra = self._target(url) if auth or self.owns(url) else (url, {})
        headers = {**extra, "Accept-Encoding": "identity"}
        with self._failures(writes=False):
            async with (
                asyncio.timeout(self._seconds),
                self._outside.stream("GET", target, headers=headers, auth=auth) as response,
            ):
                yield response

    def owns(self, url: str) -> bool:
        """Whether the credentials may go there."""
        try:
            self._target(url)
        except (errors.InternalError, ValueError):
            return False
        return "@" not in urlsplit(url).netloc

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._outside.aclose()

    @contextmanager
    def _failures(self, *, writes: bool) -> Iterator[None]:
        """Around a request: what went wrong, and whether it may have arrived."""
        try:
            yield
        except egress.AddressRefused:
            raise errors.InvalidInput("the URL leads to an address that is not public") from None
        except TimeoutError:
            raise _lost(errors.Timeout, f"no answer within {self._seconds:g} s", written=writes) from None
        except _BEFORE_WRITE as failure:
            raise _lost(_kind(failure), f"{type(failure).__name__} before the request was sent") from None
        except httpx.HTTPError as failure:
            raise _lost(
                _kind(failure), f"{type(failure).__name__} after the request was sent", written=writes
            ) from None

    def _target(self, url: str) -> tuple[str, dict[str, str]]:
        """Where to send it. The credentials go to the provider's hosts and to `base_url`, and nowhere else."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host.endswith(_PROVIDER_DOMAIN) and parts.scheme == "https":
            if self._base is None:
                return url, {}
            path = self._base.path.rstrip("/") + parts.path
            return urlunsplit((self._base.scheme, self._base.netloc, path, parts.query, "")), {ORIGINAL_HOST: host}
        if self._base is not None and parts.netloc == self._base.netloc:
            return url, {}
        raise errors.InternalError("the provider pointed to a host that is not its own")


def _places(base: SplitResult | None) -> tuple[egress.Place, ...]:
    if base is None or base.hostname is None:
        return ()
    return ((base.hostname, base.port or (443 if base.scheme == "https" else 80)),)


def _body(headers: Mapping[str, str], data: Mapping[str, Any] | None) -> dict[str, Any]:
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not data:
        return {}
    if kind.endswith("json"):
        return {"content": json.dumps(data).encode()}
    return {"data": dict(data)}


async def _read(response: httpx.Response) -> bytes | None:
    """The body, unpacked; None for one that is larger than any genuine answer."""
    content = bytearray()
    async for chunk in response.aiter_bytes(_CHUNK):
        content += chunk
        if len(content) > _MAX_ANSWER:
            return None
    return bytes(content)


def _accept(response: httpx.Response, content: bytes, *, writes: bool) -> Response:
    if response.is_success:
        if content and not _is_json(content):
            raise _lost(errors.NetworkError, "the answer is not JSON", written=writes, status=response.status_code)
        return Response(response.status_code, content.decode(), response.headers)
    raise refusal(response, writes=writes, code=_code(content))


def refusal(response: httpx.Response, *, writes: bool, code: int | None = None) -> errors.MessagingError:
    """The error of a response that is no success."""
    return error_table.translate(
        status=response.status_code,
        code=code,
        writes=writes,
        retry_after=_retry_after(response.headers.get("Retry-After")),
        request_id=_request_id(response.headers.get("Twilio-Request-Id", "")),
    )


def _lost(
    kind: type[errors.MessagingError], why: str, *, written: bool = False, status: int | None = None
) -> errors.MessagingError:
    return kind(why, retryable=not written, ambiguous=written, status=status)


def _kind(failure: Exception) -> type[errors.MessagingError]:
    return errors.Timeout if isinstance(failure, httpx.TimeoutException) else errors.NetworkError


def _is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
        raw.decode()
    except (ValueError, RecursionError):
        return False
    return True


def _code(raw: bytes) -> int | None:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    code = content.get("code") if isinstance(content, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _retry_after(value: str | None) -> float | None:
    """Seconds, also of the date form, which a proxy in front of Twilio may use."""
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        return min(float(text), _MAX_RETRY_AFTER)
    until = dates.read(text)
    return None if until is None else min(max((until - datetime.now(UTC)).total_seconds(), 0.0), _MAX_RETRY_AFTER)


def _request_id(value: str) -> str:
    return value if re.fullmatch(r"RQ[0-9a-f]{32}", value) else ""
