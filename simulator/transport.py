"""The wire under webhooks: one signed request, its redirects, and what came of it.

Debugger codes: https://www.twilio.com/docs/api/errors
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import aiohttp
from yarl import URL

from simulator import weburl
from simulator.overrides import Patience
from simulator.signature import Params, body_hash
from simulator.signer import Signer

MAX_BODY = 64 * 1024  # bytes of an answer; https://www.twilio.com/docs/api/errors/11750
_AT_ONCE = 100  # requests
# Below the five seconds after which uvicorn closes an idle connection: it must not close under a request.
_KEEP_ALIVE = 4
_REDIRECTS = 10
_AS_GET = frozenset({301, 302, 303})
_AGAIN = frozenset({307, 308})
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`body` holds one byte more than MAX_BODY at most."""

    status: int
    content_type: str
    body: bytes
    url: str
    """Where it came from, after redirects."""
    retry_after: float | None = None

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of success


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No answer. `outcome`: in the words of a retry policy; `error`: in words for people; `code`: the debugger's."""

    outcome: str
    error: str
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What to send. `url` has no fragment."""

    method: str
    url: str
    params: Params = ()
    json: str = ""
    token: str
    wrong: bool = False
    """Signed so that no receiver may take it."""


# The first that fits: outcome, words, code.
_FAILURES: tuple[tuple[type[BaseException], tuple[str, str, int]], ...] = (
    (aiohttp.ConnectionTimeoutError, ("ct", "connect timeout", 11205)),
    (aiohttp.ClientConnectorDNSError, ("ct", "host not found", 11210)),
    (aiohttp.ClientConnectorCertificateError, ("ct", "certificate not trusted", 11237)),
    (aiohttp.ClientConnectorSSLError, ("ct", "no TLS", 11220)),
    (aiohttp.ClientConnectorError, ("ct", "connection refused", 11205)),
    (TimeoutError, ("rt", "read timeout", 11200)),
    (aiohttp.InvalidURL, ("url", "not a valid URL", 11100)),
    (aiohttp.ClientPayloadError, ("partial", "answer broke off", 11206)),
    (aiohttp.ClientResponseError, ("rt", "no valid HTTP", 11206)),
    (aiohttp.ClientError, ("rt", "connection lost", 11200)),
    (OSError, ("rt", "connection lost", 11200)),
    (UnicodeError, ("ct", "host not found", 11210)),  # a name that DNS cannot be asked for
    # Whatever else a client may raise: it concerns this one request, and those behind it must not wait forever.
    (Exception, ("unsent", "the request could not be made", 11200)),
)


class Transport:
    """To be made inside a running event loop. Connections are kept open and used again."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_AT_ONCE, keepalive_timeout=_KEEP_ALIVE),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept-Encoding",),
        )
        # Waiting for a free connection must not count against the receiver's time.
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def exchange(self, message: Message, patience: Patience) -> Answer | Failure:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=patience.connect, sock_read=patience.read)
        async with self._places:
            try:
                async with asyncio.timeout(patience.total):
                    return await self._follow(message, timeout)
            except tuple(kind for kind, _ in _FAILURES) as problem:
                outcome, error, code = next(found for kind, found in _FAILURES if isinstance(problem, kind))
                return Failure(outcome=outcome, error=error, code=code)

    async def aclose(self) -> None:
        await self._session.close()

    async def _follow(self, message: Message, timeout: aiohttp.ClientTimeout) -> Answer | Failure:
        method, params, json = message.method, message.params, message.json
        url = message.url if weburl.is_web(message.url) else None
        for _ in range(_REDIRECTS):
            if url is None:
                return Failure(outcome="url", error="no valid host or port", code=11210)
            url, body, headers = self._prepare(method, url, params, json, message)
            async with self._session.request(
                method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                target = response.headers.get("location")
                if target is None or response.status not in _AS_GET | _AGAIN:
                    return await _read(response, url)
            url = weburl.joined(url, target)
            if response.status in _AS_GET:
                method, params, json = "GET", (), ""
        return Failure(outcome="loop", error="too many redirects", code=11215)

    def _prepare(
        self, method: str, url: str, params: Params, json: str, message: Message
    ) -> tuple[str, bytes | None, dict[str, str]]:
        """The URL as it is sent and signed, the body, the headers."""
        headers = {"I-Twilio-Idempotency-Token": message.token, "User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
        body = None
        if json:
            body = json.encode()
            headers["Content-Type"] = "application/json"
            url, params = _with_query(url, (("bodySHA256", body_hash(body)),)), ()
        elif method == "GET":
            url, params = _with_query(url, params), ()
        else:
            body = urlencode(params).encode()
            headers["Content-Type"] = _FORM
        return url, body, headers | self._signer.headers(url, params, wrong=message.wrong)


def _with_query(url: str, params: Params) -> str:
    return url + ("&" if urlsplit(url).query else "?") + urlencode(params) if params else url


async def _read(response: aiohttp.ClientResponse, url: str) -> Answer:
    size = response.content_length
    short = size is not None and size <= MAX_BODY
    body = await response.read() if short else await _start_of(response.content)
    asked = response.headers.get("retry-after", "")
    return Answer(
        status=response.status,
        content_type=response.headers.get("content-type", ""),
        body=body,
        url=url,
        retry_after=float(asked) if asked.isdecimal() else None,
    )


async def _start_of(stream: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    while len(body) <= MAX_BODY and (chunk := await stream.read(MAX_BODY + 1 - len(body))):
        body += chunk
    return bytes(body)
