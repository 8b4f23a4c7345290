"""The simulator seen from a phone: send a text, and follow what passes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One text. `phone` is the person's number, whichever way it went."""

    at: datetime
    channel: str
    phone: str
    body: str
    is_inbound: bool


async def follow(simulator: str) -> AsyncIterator[Line]:
    """Texts from now on, for as long as the simulator is there.

    Raises:
        httpx.HTTPError: it is away.
    """
    import httpx  # noqa: PLC0415 - other commands do not pay for it

    async with (
        httpx.AsyncClient(timeout=httpx.Timeout(10, read=None)) as client,
        client.stream("GET", f"{simulator}/_sim/events") as stream,
    ):
        stream.raise_for_status()
        async for row in stream.aiter_lines():
            if row.startswith("data:") and (line := _line(json.loads(row.removeprefix("data:")))):
                yield line


async def check(simulator: str) -> None:
    """Nothing, where it is there.

    Raises:
        httpx.HTTPError
    """
    import httpx  # noqa: PLC0415

    async with httpx.AsyncClient(timeout=10) as client:
        (await client.get(f"{simulator}/_sim/health")).raise_for_status()


async def text(simulator: str, *, sender: str, body: str, channel: str) -> None:
    """Send one text from this number.

    Raises:
        httpx.HTTPError
    """
    import httpx  # noqa: PLC0415

    async with httpx.AsyncClient(timeout=10) as client:
        message = {"from": sender, "body": body, "channel": channel}
        (await client.post(f"{simulator}/_sim/inbound", json=message)).raise_for_status()


def _line(record: dict[str, Any]) -> Line | None:
    if record.get("kind") not in {"inbound", "outbound"}:
        return None
    return Line(
        at=datetime.fromisoformat(record["at"]).astimezone(),
        channel=str(record["channel"]),
        phone=str(record["phone"]),
        body=str(record["body"]),
        is_inbound=record["kind"] == "inbound",
    )
