"""Event streams of the console, over real sockets: an application does not stream in a test's own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from api.app import create_app
from api.server import Server
from runtime import settings as configuration
from tests.integration.harness import Bench, bench_for
from tests.support.ports import eventually, free_port
from tests.support.twilio import ACCOUNT, TOKEN


@asynccontextmanager
async def served(queue: str, spool: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Server]]:
    """An API process's server, in this one."""
    port = free_port()
    settings = configuration.load(
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=TOKEN,
        messaging_id_key="a key that is only for the tests",
        messaging_spool=spool,
        temporal_task_queue=queue,
    )
    server = Server(create_app(settings), host="127.0.0.1", port=port, log_config=None, access_log=False, ws="none")
    server.capture_signals = _none  # type: ignore[method-assign] # the test's process keeps its own
    serving = asyncio.create_task(server.serve())
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            await eventually(lambda: http.get("/livez"))
            yield http, server
    finally:
        server.handle_exit(2, None)
        await asyncio.wait_for(serving, timeout=10)


class _none:  # noqa: N801 - it stands for a function
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


async def events(stream: httpx.Response) -> AsyncIterator[tuple[str, str]]:
    """What each event is called, and its data."""
    name = ""
    async for line in stream.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, line.removeprefix("data: ")


@pytest.fixture
async def bench(client: Client) -> AsyncIterator[Bench]:
    async with bench_for(client) as bench:
        yield bench


async def test_what_happens_by_one_process_is_heard_from_another_and_stopping_ends_the_stream(
    bench: Bench, temporal_address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    async with (
        served(bench.queue, tmp_path / "one") as (one, server),
        served(bench.queue, tmp_path / "two") as (two, _),
    ):
        mine = {"contact": f"contact-{person.id}"}
        page = (await one.get(f"/console/{person.id}", params=mine)).text
        seen = " ".join(part.partition('"')[0] for part in page.split('data-version="')[1:])
        params = {**mine, "talk": person.id, "seen": seen}
        async with one.stream("GET", "/console/live", params=params) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            heard = events(stream)
            await two.post(f"/v1/conversations/{person.id}/takeover", json={"assignee": "ana"})
            name, version = await asyncio.wait_for(anext(heard), timeout=20)
            assert (name, version.split()[1] != seen.split()[1]) == ("change", True)
            assert "ana answers" in (await one.get(f"/console/{person.id}")).text

            server.handle_exit(2, None)
            async with asyncio.timeout(10):
                assert [event async for event in heard if event[0] != "change"] == []


async def test_a_stream_says_that_temporal_is_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    async with (
        served("nobody", tmp_path / "spool") as (http, _),
        http.stream("GET", "/console/live", params={"talk": "conversation-a"}) as stream,
    ):
        name, version = await asyncio.wait_for(anext(events(stream)), timeout=20)
    assert (name, version) == ("away", "away away")
