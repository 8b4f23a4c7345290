"""Requests from Twilio to the product: signed, retried, one first attempt at a time for each sender.

Connection overrides in a URL's fragment: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from simulator.config import SimulatorConfig
from simulator.faults import WEBHOOK, Fault, Faults
from simulator.signature import sign
from simulator.transcript import Transcript

Params = tuple[tuple[str, str], ...]
_OK = range(200, 300)
# A pool looks at all its connections and waiting requests at each step, so its cost grows with their square. Several
# small pools, each with never more requests than connections, take a tenth of the time of one large pool.
_POOLS, _EACH = 12, 8
_LIMITS = httpx.Limits(max_connections=_EACH, max_keepalive_connections=_EACH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request to make. `order`: deliveries of the same order key make their first attempts one after the other."""

    url: str
    params: Params
    event: str
    subject: str
    order: str
    method: str = "POST"
    conversations: bool = False
    on_response: Callable[[httpx.Response], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Seconds, counts, and what is worth another attempt."""

    connect: float
    total: float
    retries: int
    on: frozenset[str]

    def retries_on(self, outcome: str) -> bool:
        return "all" in self.on or outcome in self.on


class Webhooks:
    def __init__(self, config: SimulatorConfig, transcript: Transcript, faults: Faults) -> None:
        self._config = config
        self._transcript = transcript
        self._faults = faults
        tls = httpx.create_ssl_context()  # one for all: reading the certificates takes a while
        self._clients = [httpx.AsyncClient(limits=_LIMITS, verify=tls, trust_env=False) for _ in range(_POOLS)]
        self._places: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for client in self._clients:
            for _ in range(_EACH):
                self._places.put_nowait(client)
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: dict[str, _Turns] = defaultdict(_Turns)

    def send(self, delivery: Delivery) -> None:
        """Returns at once; the request is made in the background."""
        task = asyncio.create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def pending(self) -> int:
        return len(self._tasks)

    def cancel(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()

    async def aclose(self) -> None:
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self._clients:
            await client.aclose()

    async def _deliver(self, delivery: Delivery) -> None:
        fault = self._faults.take(WEBHOOK, delivery.event)
        token = str(uuid.uuid4())
        async with self._turn(delivery.order):
            if fault is not None and fault.kind == "webhook_delay":
                await asyncio.sleep(fault.seconds)
            if fault is not None and fault.kind == "webhook_drop":
                self._log(delivery, token, 0, error="dropped by a fault")
                return
            policy = _policy(delivery, self._config)
            wait = await self._attempt(delivery, policy, token, 0, fault)
            if fault is not None and fault.kind == "webhook_duplicate":
                await self._attempt(delivery, policy, token, 0, None)
        for attempt in range(1, policy.retries + 1):
            if wait is None:
                return
            await asyncio.sleep(wait)
            wait = await self._attempt(delivery, policy, token, attempt, None)

    async def _attempt(
        self, delivery: Delivery, policy: Policy, token: str, attempt: int, fault: Fault | None
    ) -> float | None:
        """Seconds to wait before the next attempt, or None when there is no reason for one."""
        wrong = fault is not None and fault.kind == "webhook_signature"
        request = self._request(delivery, policy, token, attempt, wrong=wrong)
        client = await self._places.get()
        started = time.perf_counter()
        try:
            response, outcome, error = await _exchange(client, request, policy.total)
        finally:
            self._places.put_nowait(client)
        took = (time.perf_counter() - started) * 1000
        self._log(delivery, token, attempt, status=response and response.status_code, error=error, ms=round(took, 1))
        if response is not None:
            if response.status_code in _OK:
                if delivery.on_response is not None:
                    delivery.on_response(response)
                return None
            outcome = f"{response.status_code // 100}xx"
        if not policy.retries_on(outcome):
            return None
        return self._backoff(attempt, response)

    def _request(self, delivery: Delivery, policy: Policy, token: str, attempt: int, *, wrong: bool) -> httpx.Request:
        params = delivery.params
        if delivery.conversations:
            params = (*params, ("RetryCount", str(attempt)))
        url, timeout = delivery.url.partition("#")[0], httpx.Timeout(policy.total, connect=policy.connect)
        secret = self._config.auth_token + ("-wrong" if wrong else "")
        headers = {"I-Twilio-Idempotency-Token": token, "User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
        if delivery.method == "GET":
            url += ("&" if urlsplit(url).query else "?") + urlencode(params)
            headers["X-Twilio-Signature"] = sign(secret, url)
            return self._clients[0].build_request("GET", url, headers=headers, timeout=timeout)
        headers["X-Twilio-Signature"] = sign(secret, url, params)
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        return self._clients[0].build_request("POST", url, content=urlencode(params), headers=headers, timeout=timeout)

    def _backoff(self, attempt: int, response: httpx.Response | None) -> float:
        seconds = self._config.webhook_backoff * float(2**attempt)
        if response is not None and (asked := response.headers.get("retry-after", "")).isdecimal():
            seconds = float(asked)
        return min(seconds, self._config.webhook_backoff_max)

    def _log(self, delivery: Delivery, token: str, attempt: int, **outcome: Any) -> None:
        self._transcript.add(
            "webhook",
            event=delivery.event,
            subject=delivery.subject,
            url=delivery.url,
            attempt=attempt + 1,
            idempotency_token=token,
            **{"status": None, "error": None, "ms": None} | outcome,
        )

    @asynccontextmanager
    async def _turn(self, key: str) -> AsyncIterator[None]:
        """First come, first served for each key; a key that nobody waits for is forgotten."""
        turns = self._turns[key]
        turns.waiting += 1
        try:
            async with turns.lock:
                yield
        finally:
            turns.waiting -= 1
            if turns.waiting == 0:
                self._turns.pop(key, None)


class _Turns:
    __slots__ = ("lock", "waiting")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


async def _exchange(
    client: httpx.AsyncClient, request: httpx.Request, seconds: float
) -> tuple[httpx.Response | None, str, str | None]:
    """The response; or what failed, in the words of a retry policy, and in words for people."""
    try:
        async with asyncio.timeout(seconds):
            return await client.send(request), "", None
    except httpx.ConnectError:
        return None, "ct", "connection refused"
    except httpx.ConnectTimeout:
        return None, "ct", "connect timeout"
    except (TimeoutError, httpx.TimeoutException):
        return None, "rt", "read timeout"
    except httpx.HTTPError as problem:
        return None, "rt", type(problem).__name__


def _policy(delivery: Delivery, config: SimulatorConfig) -> Policy:
    retries, on = config.webhook_retries, config.webhook_retry_policy
    if delivery.conversations:
        # Fixed by the product, and deaf to fragments.
        return Policy(connect=5, total=config.conversations_webhook_timeout, retries=retries, on=on)
    wanted = dict(parse_qsl(urlsplit(delivery.url).fragment))
    total = config.webhook_timeout
    return Policy(
        connect=_between(wanted.get("ct"), 100, 10_000, 5_000) / 1000,
        total=min(
            total,
            _between(wanted.get("tt"), 100, 15_000, 15_000) / 1000,
            _between(wanted.get("rt"), 100, 15_000, 15_000) / 1000,
        ),
        retries=_between(wanted.get("rc"), 0, 5, retries),
        on=frozenset(wanted["rp"].split(",")) if "rp" in wanted else on,
    )


def _between(text: str | None, low: int, high: int, default: int) -> int:
    if text is None or not text.isdecimal():
        return default
    return max(low, min(high, int(text)))
