"""Talking to a simulator that listens, hearing its webhooks, and backends that call it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from messaging.config import MessagingConfig, new_config
from messaging.model import WebhookRequest
from tests.unit.messaging import wire


class Simulator:
    def __init__(self, url: str) -> None:
        self.url = url

    async def tell(self, path: str, **content: Any) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.post(f"/_sim/{path}", json=content)
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            return found

    def forget_faults(self) -> None:
        httpx.delete(f"{self.url}/_sim/faults").raise_for_status()


class Receiver:
    """An ASGI application that keeps every webhook as it arrived."""

    def __init__(self) -> None:
        self.url = ""
        self.kept: list[WebhookRequest] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        path = scope["raw_path"].decode("ascii")
        self.kept.append(
            WebhookRequest(
                route=path.rpartition("/")[2],
                method=scope["method"],
                path=path,
                query=scope["query_string"].decode("ascii"),
                headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
                body=body,
            )
        )
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def heard(self, *holding: str, count: int = 1) -> list[WebhookRequest]:
        """The webhooks whose body or query holds all of these, once there are `count`."""
        async with asyncio.timeout(10):
            while True:
                found = [
                    request
                    for request in self.kept
                    if all(part in f"{request.route} {request.query} {request.body.decode()}" for part in holding)
                ]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)


def twilio(provider: str, simulator: Simulator, **options: Any) -> MessagingConfig:
    own = {
        "account_sid": wire.ACCOUNT,
        "auth_token": wire.TOKEN,
        "base_url": simulator.url,
        "webhook_url": wire.BASE,
        "phone_number": wire.OURS,
        "poll_seconds": 0.05,
        "settle_seconds": 0,
    }
    common = {name: options.pop(name) for name in ("timeout",) if name in options}
    return new_config(provider, **{"timeout": 10, **common}, provider_specific={**own, **options})
