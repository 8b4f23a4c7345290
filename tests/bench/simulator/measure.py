"""One run: a simulator of its own, people who send in a closed loop, and what each block of messages cost."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.bench import cpu
from tests.bench.process import running
from tests.bench.simulator.receiver import Book, listening
from tests.support.ports import eventually, free_port

_ACCOUNT = "AC" + "0" * 32
_TOKEN = "bench"
_OURS = "+15550100000"
_KEY = base64.b64encode(f"{_ACCOUNT}:{_TOKEN}".encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`at_once`: calls that wait for their answer at the same time. `retain`: messages that the simulator keeps."""

    messages: int = 20_000
    blocks: int = 4
    at_once: int = 32
    people: int = 500
    retain: int = 5_000
    data: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Messages accepted and told of to the end; seconds of wall clock and of the simulator's processor time; its
    resident memory afterwards, in MiB."""

    messages: int
    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    blocks: list[Block]
    callbacks: int
    kept: int
    """Messages in the simulator's log at the end; `records`: in its transcript; `waiting`: webhooks not yet made."""
    records: int
    waiting: int
    faults: list[str]


async def run(options: Options, tell: Callable[[str], None]) -> Result:
    """Start everything, measure, stop everything."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="simulator-bench-")))
        book = await stack.enter_async_context(listening())
        base = f"http://127.0.0.1:{free_port()}"
        session = await stack.enter_async_context(_session(options.at_once))
        pid = await stack.enter_async_context(
            running(
                "simulator",
                *_arguments(base, folder, options),
                folder=folder,
                ready=lambda: _healthy(session, base),
                environment={"TWILIO_AUTH_TOKEN": _TOKEN},
            )
        )
        tell("warming up")
        await _send(session, base, book, options, 500)
        blocks = []
        for number in range(options.blocks):
            tell(f"block {number + 1} of {options.blocks}")
            blocks.append(await _block(session, base, book, options, pid))
        async with session.get(f"{base}/_sim/health") as answer:
            health = await answer.json()
        async with session.get(f"{base}/_sim/transcript") as answer:
            records = (await answer.text()).count("\n")
        faults = book.faults + [f"{sid}: never finished" for sid in book.open]
        return Result(
            blocks=blocks,
            callbacks=book.callbacks,
            kept=health["messages"],
            records=records,
            waiting=health["webhooks_pending"],
            faults=faults,
        )


async def _block(session: aiohttp.ClientSession, base: str, book: Book, options: Options, pid: int) -> Block:
    count = options.messages // options.blocks
    started, before = time.perf_counter(), cpu.read({"simulator": pid})
    await _send(session, base, book, options, count)
    wall = time.perf_counter() - started
    used = cpu.used(before, cpu.read({"simulator": pid}))["simulator"] / 1000
    return Block(messages=count, wall=wall, cpu=used, memory=_resident(pid))


async def _send(session: aiohttp.ClientSession, base: str, book: Book, options: Options, count: int) -> None:
    """Sends so many, and waits until the last status of each was told."""
    numbers, aim = iter(range(count)), book.done + count
    url = f"{base}/2010-04-01/Accounts/{_ACCOUNT}/Messages.json"

    async def one() -> None:
        for number in numbers:
            person = f"+1555{number % options.people:07d}"
            form = {"To": person, "From": _OURS, "Body": f"Message {number}", "StatusCallback": book.url}
            async with session.post(url, data=form) as answer:
                if answer.status != 201:
                    raise RuntimeError(f"a message was not accepted: {answer.status} {await answer.text()}")
                await answer.read()

    await asyncio.gather(*(one() for _ in range(options.at_once)))

    async def told() -> bool:
        return book.done >= aim or bool(book.faults)

    await eventually(told, within=60, every=0.005)


@contextlib.asynccontextmanager
async def _session(at_once: int) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector, headers={"Authorization": f"Basic {_KEY}"}) as session:
        yield session


async def _healthy(session: aiohttp.ClientSession, base: str) -> bool:
    try:
        async with session.get(f"{base}/_sim/health") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def _arguments(base: str, folder: Path, options: Options) -> list[str]:
    kept = ["--max-messages", str(options.retain), "--max-records", str(options.retain)]
    data = ["--data", str(folder / "simulator.jsonl")] if options.data else []
    return ["simulator", "--port", base.rpartition(":")[2], "--account-sid", _ACCOUNT, *kept, *data]


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
