"""What is too large, too slow or too much is refused before anything reads it, and costs no memory. Real sockets."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api import limits, problems, wire
from tests.support.ports import eventually, free_port
from tests.support.twilio import ACCOUNT, TOKEN

WEBHOOK = "/webhooks/twilio/messages"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """`messaging api` as it is run, without a Temporal: its port and its process id."""
    port = free_port()
    environment = {
        **os.environ,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "MESSAGING_ID_KEY": "a key that is only for the tests",
        "MESSAGING_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
    }
    command = [sys.executable, "-m", "cli", "api", "--port", str(port)]
    root = Path(__file__).parents[2]
    with Popen(command, env=environment, cwd=root, stdout=PIPE, stderr=STDOUT) as child:
        try:
            asyncio.run(eventually(lambda: answers(port)))
            yield port, child.pid
        finally:
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=20)


async def answers(port: int) -> bool:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"http://127.0.0.1:{port}/livez")).is_success


async def said(port: int, *parts: bytes, within: float = 20.0) -> bytes:
    """What comes back on a connection of its own until it is closed, or the first line of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(within):
            try:
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                return await reader.readline()
            except ConnectionError:
                return b""
    finally:
        writer.close()


def head(*headers: str, method: str = "POST", path: str = WEBHOOK) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


def form(fields: int) -> bytes:
    return b"&".join(b"a%d=b" % number for number in range(fields))


def chunked(size: int) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)


SIGNED = ("X-Twilio-Signature: x", f"Content-Type: {FORM}")
MB = 1024 * 1024
REFUSED: dict[str, tuple[int, tuple[bytes, ...]]] = {
    "a header of 1 MB": (431, (head("X-Large: " + "x" * MB),)),
    "a header that never ends": (431, (head()[:-2] + b"X-Large: ", *[b"x" * 8192] * 64)),
    "a path of 100 kB": (431, (head(method="GET", path="/" + "x" * 100_000),)),
    "1,000 headers": (431, (head(*(f"X-{number}: y" for number in range(1_000))),)),
    "a form of 1 MB": (413, (head(f"Content-Length: {MB}", *SIGNED), b"x" * 1024)),
    "a form of 1 MB that declares nothing": (413, (head("Transfer-Encoding: chunked", *SIGNED), chunked(MB))),
    "a document of 1 MB": (413, (head(f"Content-Length: {MB}", path="/v1/conversations"),)),
    "a length of 5,000 digits": (400, (head(f"Content-Length: {'9' * 5_000}"),)),
    "a length below zero": (400, (head("Content-Length: -1"),)),
    "two lengths": (400, (head("Content-Length: 1", "Content-Length: 2"), b"xx")),
    "a length and chunks": (400, (head("Content-Length: 1", "Transfer-Encoding: chunked"), chunked(1))),
    "10,000 fields": (413, (head(f"Content-Length: {len(form(10_000))}", *SIGNED), form(10_000))),
    "2,000 fields": (400, (head(f"Content-Length: {len(form(2_000))}", *SIGNED), form(2_000))),
    "no HTTP": (400, (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",)),
}


@pytest.mark.parametrize(("status", "parts"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_too_much_is_refused(status: int, parts: tuple[bytes, ...], process: tuple[int, int]) -> None:
    assert (await said(process[0], *parts)).startswith(b"HTTP/1.1 %d " % status)


async def test_what_is_large_but_fits_is_taken(process: tuple[int, int]) -> None:
    full = head(*(f"X-{number}: {'y' * 200}" for number in range(90)), method="GET", path="/livez")
    several = full.replace(b"Host", b"Connection: keep-alive\r\nHost") * 3

    assert (await said(process[0], full)).startswith(b"HTTP/1.1 200 ")
    assert (await said(process[0], several)).startswith(b"HTTP/1.1 200 ")
    # Not signed, but read to its end.
    body = b"a=" + b"x" * (limits.FORM - 2)
    taken = await said(process[0], head(f"Content-Length: {len(body)}", *SIGNED), body)
    assert taken.startswith(b"HTTP/1.1 403 ")


async def test_memory_stays_flat_whatever_is_sent(process: tuple[int, int]) -> None:
    port, pid = process
    hostile = [parts for _, parts in REFUSED.values()]

    async def flood(times: int) -> int:
        for _ in range(times):
            await asyncio.gather(*(said(port, *parts) for parts in hostile))
        return resident(pid)

    before = await flood(3)
    after = await flood(12)
    assert after - before < 16 * MB, f"{(after - before) // 1024} kB more"
    assert await answers(port)


def resident(pid: int) -> int:
    """Bytes of memory in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Impatient(wire.BoundedHttp):
    head_seconds = 0.3


async def read_all(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def look_away(_: Request) -> Response:
    return PlainTextResponse("no")


@asynccontextmanager
async def impatient() -> AsyncIterator[int]:
    """A server that waits for a third of a second."""
    app = FastAPI()
    app.add_route("/", read_all, methods=["POST"])
    app.add_route("/no", look_away, methods=["POST"])
    problems.install(app)
    app.add_middleware(limits.BodyLimits, seconds=0.3)
    port = free_port()
    config = uvicorn.Config(app, port=port, http=Impatient, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "install_signal_handlers", lambda: None, raising=False)
        serving = asyncio.create_task(server.serve())
        await eventually(lambda: _is(server.started))
        yield port
        server.should_exit = True
        await serving


async def _is(value: bool) -> bool:
    return value


async def until_closed(port: int, first: bytes, trickle: bytes) -> bytes:
    """All that comes back while a byte is sent now and then, until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = bytearray()

    async def go_on() -> None:
        writer.write(first)
        while True:
            await asyncio.sleep(0.05)
            writer.write(trickle)
            await writer.drain()

    sending = asyncio.create_task(go_on())
    try:
        async with asyncio.timeout(20):
            while part := await reader.read(1024):
                answer += part
    except ConnectionError:
        pass
    finally:
        sending.cancel()
        writer.close()
    return bytes(answer)


SLOW = {
    "a connection without a word": (b"", b"", b""),
    "a path by bytes": (b"POST /", b"x", b""),
    "headers without end": (b"POST / HTTP/1.1\r\n", b"x: y\r\n", b""),
    "a body by bytes": (head("Content-Length: 1000", path="/"), b"x", b"408"),
    "a body that nobody reads": (head("Content-Length: 1000", path="/no"), b"x", b"200"),
}


@pytest.mark.parametrize(("first", "trickle", "status"), SLOW.values(), ids=SLOW.keys())
async def test_who_is_slow_is_hung_up_on(first: bytes, trickle: bytes, status: bytes) -> None:
    async with impatient() as port:
        answer = await until_closed(port, first, trickle)

    assert answer.partition(b"\r\n")[0].partition(b" ")[2].startswith(status)
    assert bool(answer) is bool(status)


async def test_who_is_quick_keeps_the_connection() -> None:
    async with impatient() as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for _ in range(3):
            assert (await http.post("/", content=b"xyz")).text == "3"
            await asyncio.sleep(0.4)
