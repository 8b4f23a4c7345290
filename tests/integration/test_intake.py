"""While Temporal is away texts are taken and kept; when it is back each is answered once, in order."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from runtime import intake
from runtime.settings import SettingsError
from tests.integration.harness import Bench, Outbox, bench_for
from tests.integration.test_api import PUBLIC, api, someone
from tests.support.gate import Gate, gate_to
from tests.support.ports import eventually
from tests.support.twilio import Twilio


@pytest.fixture
async def gate(temporal_address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gate]:
    """The API's way to Temporal; the worker has its own."""
    async with gate_to(temporal_address) as gate:
        monkeypatch.setenv("TEMPORAL_ADDRESS", gate.address)
        yield gate


@pytest.fixture
async def bench(client: Client) -> AsyncIterator[Bench]:
    outbox = Outbox()
    async with bench_for(client, outbox=outbox, others={"twilio_messaging": outbox}) as bench:
        yield bench


@pytest.fixture
async def apis(gate: Gate, bench: Bench, tmp_path: Path) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two API processes' worth of applications over one spool."""
    async with AsyncExitStack() as stack:
        options = {"temporal_task_queue": bench.queue, "messaging_spool": tmp_path / "spool"}
        yield [await stack.enter_async_context(api(**options)) for _ in range(2)]


def sid() -> str:
    return f"SM{uuid.uuid4().hex}"


async def depth(http: httpx.AsyncClient) -> int:
    return int((await http.get("/readyz")).json()["spool"]["depth"])


def drained(http: httpx.AsyncClient) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await depth(http) == 0

    return look


def answered(bench: Bench, word: str) -> list[str]:
    """The texts of one person, by what they all begin with, in the order in which they were answered."""
    lines = [line for body in bench.outbox.bodies for line in body.removeprefix("re: ").split("\n")]
    return [line for line in lines if line.startswith(word)]


@pytest.mark.parametrize("outage", ["shut", "hang"])
async def test_texts_of_an_outage_are_answered_once_and_in_order(
    apis: list[httpx.AsyncClient], gate: Gate, bench: Bench, outage: str
) -> None:
    ana, bo = someone(), someone()
    before = await Twilio(apis[0], PUBLIC).text("ana 0", sid=sid(), From=ana)
    await (gate.shut if outage == "shut" else gate.hang)()
    sids = [sid() for _ in range(8)]
    answers = [
        await Twilio(apis[number % 2], PUBLIC).text(f"ana {number + 1}", sid=name, From=ana)
        for number, name in enumerate(sids)
    ]
    answers += [await Twilio(apis[1], PUBLIC).text("bo 1", sid=sid(), From=bo)]
    again = [await Twilio(apis[1], PUBLIC).text(f"ana {n + 1}", sid=name, From=ana) for n, name in enumerate(sids)]
    ready = await apis[0].get("/readyz")
    kept = await depth(apis[1])
    await gate.open()
    assert await eventually(drained(apis[0]), within=30)
    after = await Twilio(apis[1], PUBLIC).text("ana 9", sid=sid(), From=ana)
    assert await eventually(lambda: _has(bench, "ana 9"), within=30)
    assert await eventually(lambda: _has(bench, "bo 1"), within=30)

    assert {answer.status_code for answer in [before, *answers, *again, after]} == {200}
    assert (ready.status_code, ready.json()["status"], ready.json()["temporal"]) == (200, "degraded", "unreachable")
    assert kept in {9, 10}  # the first one's signal may have gone through before the gate was cut
    assert answered(bench, "ana") == [f"ana {number}" for number in range(10)]
    assert answered(bench, "bo") == ["bo 1"]


async def _has(bench: Bench, text: str) -> bool:
    return text in answered(bench, text)


async def test_what_comes_while_the_spool_drains_waits_behind_it(
    apis: list[httpx.AsyncClient], gate: Gate, bench: Bench
) -> None:
    person = someone()
    await gate.shut()
    for number in range(20):
        await Twilio(apis[0], PUBLIC).text(f"t {number}", sid=sid(), From=person)
    await gate.open()
    for number in range(20, 40):  # by the other process, which has not seen Temporal away
        await Twilio(apis[1], PUBLIC).text(f"t {number}", sid=sid(), From=person)
    assert await eventually(lambda: _has(bench, "t 39"), within=30)

    assert answered(bench, "t ") == [f"t {number}" for number in range(40)]


async def test_with_the_spool_full_nothing_is_taken_and_the_provider_is_told(
    gate: Gate, bench: Bench, tmp_path: Path
) -> None:
    options = {"temporal_task_queue": bench.queue, "messaging_spool": tmp_path, "messaging_spool_megabytes": 1}
    async with api(**options) as http:
        await gate.shut()
        answers = []
        for _ in range(60):
            answers.append(await Twilio(http, PUBLIC).text("x" * 30_000, sid=sid(), From=someone()))
            if answers[-1].status_code != 200:
                break
        ready = await http.get("/readyz")

    assert answers[-1].status_code == 503
    assert int(answers[-1].headers["retry-after"]) > 0
    assert (answers[-1].json()["code"], "full" in answers[-1].json()["detail"]) == ("spool_unusable", True)
    assert (ready.status_code, ready.json()["status"]) == (503, "unready")


async def test_a_spool_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="MESSAGING_SPOOL: Not a directory"):
        async with api(messaging_spool=tmp_path / "file" / "spool"):
            await asyncio.sleep(0)


async def test_forged_texts_are_not_kept(apis: list[httpx.AsyncClient], gate: Gate) -> None:
    await gate.shut()
    answer = await Twilio(apis[0], PUBLIC, token="somebody else's").text("hello", From=someone())

    assert (answer.status_code, await depth(apis[0])) == (403, 0)


@pytest.fixture
async def slow(gate: Gate, bench: Bench, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An API that takes 10 texts at once of one sender, then one in 6 s."""
    options = {"temporal_task_queue": bench.queue, "messaging_spool": tmp_path / "spool", "messaging_sender_rate": 10}
    async with api(**options) as http:
        yield http


async def test_a_flood_waits_in_the_spool_and_holds_up_nobody_else(
    slow: httpx.AsyncClient, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "SHARE", 20)
    flooder, others = someone(), [someone() for _ in range(5)]
    twilio = Twilio(slow, PUBLIC)
    codes = [(await twilio.text(f"flood {n}", sid=sid(), From=flooder)).status_code for n in range(40)]
    for number, other in enumerate(others):
        codes.append((await twilio.text(f"other {number}", sid=sid(), From=other)).status_code)
    refused = await twilio.text("flood on", sid=sid(), From=flooder)

    async def all_others() -> bool:
        return len(answered(bench, "other")) == len(others)

    await eventually(all_others)
    assert codes[:30] == [200] * 30
    assert set(codes[32:40]) == {429}, "the share is used up"
    assert codes[40:] == [200] * 5
    assert (refused.status_code, refused.json()["code"]) == (429, "sender_over_budget")
    assert int(refused.headers["retry-after"]) > 0
    assert await depth(slow) >= 18, "the flood went on at once"
    # A moment later one more of the flood has gone on, the first that waited, and none is lost.
    await eventually(lambda: _went_on(bench, 11))
    flood = answered(bench, "flood")
    assert flood == [f"flood {n}" for n in range(len(flood))]


async def _went_on(bench: Bench, number: int) -> bool:
    return len(answered(bench, "flood")) >= number


async def test_what_all_send_together_is_bounded_too(gate: Gate, bench: Bench, tmp_path: Path) -> None:
    options = {"temporal_task_queue": bench.queue, "messaging_spool": tmp_path / "spool", "messaging_intake_rate": 5}
    async with api(**options) as http:
        twilio = Twilio(http, PUBLIC)
        answers = await asyncio.gather(*(twilio.text(f"one {n:02}", sid=sid(), From=someone()) for n in range(25)))
        waiting = await depth(http)
        await eventually(drained(http))

        async def all_of_them() -> bool:
            return len(answered(bench, "one")) == 25

        await eventually(all_of_them)

    assert {answer.status_code for answer in answers} == {200}
    assert waiting >= 15
