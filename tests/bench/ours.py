"""The row of ours: the whole stack as `messaging dev` starts it, texted by signed webhooks, sending to the stub."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.bench import arrivals, process
from tests.bench.crowd import Crowd
from tests.bench.row import Row
from tests.support.ports import free_port
from tests.support.twilio import ACCOUNT, OURS, TOKEN, Twilio
from workflows.contracts import WORKFLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The row, and where its Temporal server is."""

    row: Row
    temporal: str
    temporal_pid: int


@asynccontextmanager
async def opened(folder: Path, *, people: int, seed: int) -> AsyncIterator[Stack]:
    """Everything up and waiting for texts."""
    crowd = Crowd("ours", people=people, seed=seed)
    async with AsyncExitStack() as stack:
        report_to = await stack.enter_async_context(arrivals.listening(crowd.arrived))
        provider = await stack.enter_async_context(_stub(folder, report_to))
        found = await stack.enter_async_context(_dev(folder, provider))
        pids = found["pids"]
        limits = httpx.Limits(max_connections=people + 8, max_keepalive_connections=people + 8)
        http = httpx.AsyncClient(base_url=found["api"], limits=limits, timeout=10, trust_env=False)
        twilio = Twilio(http=await stack.enter_async_context(http), public_url=found["api"])

        async def send(person: int, text: str) -> None:
            answer = await twilio.text(text, From=f"+1555019{person:04d}", To=OURS)
            answer.raise_for_status()

        named = {"API": "api", "worker": "worker", "Temporal server": "temporal", "Qdrant": "qdrant"}
        row = Row(crowd=crowd, send=send, pids={k: pids[v] for k, v in named.items()}, workflow=WORKFLOW)
        yield Stack(row=row, temporal=found["temporal_address"], temporal_pid=pids["temporal"])


@asynccontextmanager
async def _stub(folder: Path, report_to: int) -> AsyncIterator[str]:
    port = free_port()
    url = f"http://{arrivals.HOST}:{port}"

    async def ready() -> bool:
        try:
            async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
                return (await client.get(f"{url}/ready")).is_success
        except httpx.HTTPError:
            return False

    arguments = ("tests.bench.stub", "--port", str(port), "--report-to", str(report_to))
    async with process.running("stub", *arguments, folder=folder, ready=ready):
        yield url


@asynccontextmanager
async def _dev(folder: Path, provider: str) -> AsyncIterator[dict[str, Any]]:
    data = folder / "data"
    written = data / "dev.json"

    async def ready() -> bool:
        return written.exists() and written.read_text().endswith("\n")

    environment = {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_BASE_URL": provider,
        "MESSAGING_AGENT": "tests.bench.agent:reply",
    }
    ports = ("--api-port", "0", "--temporal-port", "0", "--ui-port", "0")
    arguments = ("cli", "dev", "--json", "--no-simulator", "--data-dir", str(data), *ports)
    async with process.running("dev", *arguments, folder=folder, ready=ready, environment=environment):
        yield json.loads(written.read_text())
