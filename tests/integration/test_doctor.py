"""What the doctor finds, each with the fault produced. What it says of a deployment that is well: `test_ledger`."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from activities.sweeping import Sweeping
from messaging import errors
from messaging.diagnosis import Finding, State
from messaging.providers.twilio import diagnosis as twilio_diagnosis
from runtime import settings as configuration
from runtime.doctor import examine, patients, server, surroundings, worst
from runtime.settings import Settings
from runtime.spool import Spool, Spooled
from runtime.sweeping import keep_sweeping, schedule_id
from runtime.temporal import CONVERTER, deployment, workflow_runner
from simulator.running import RunningSimulator, running
from tests.integration.harness import Bench, bench_for
from tests.support.ports import eventually, free_port
from tests.support.server import TEMPORAL, temporal_server
from tests.support.twilio import ACCOUNT, TOKEN
from workflows import guard
from workflows.sweeping import SweepWorkflow

ALL = 1_000
LONG = timedelta(minutes=15)


@pytest.fixture(scope="module")
def temporal_address() -> Iterator[str]:
    """One of its own: on the shared one others leave conversations whose workers are gone."""
    with temporal_server() as address:
        yield address


@pytest.fixture
async def client(temporal_address: str) -> Client:
    return await Client.connect(temporal_address, data_converter=CONVERTER)


@pytest.fixture
async def bench(client: Client) -> AsyncIterator[Bench]:
    async with bench_for(client) as bench:
        yield bench
    async for left in client.list_workflows(f"TaskQueue = '{bench.queue}' AND ExecutionStatus = 'Running'"):
        await client.get_workflow_handle(left.id).terminate()


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running(account_sid=ACCOUNT, auth_token=TOKEN, webhook_base="https://example.org") as simulator:
        yield simulator


def given(**overrides: Any) -> Settings:
    return configuration.load(
        **{
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "public_url": "https://example.org",
            "messaging_id_key": "a key that is only for the tests",
            **overrides,
        }
    )


def one(findings: Any, check: str) -> Finding:
    [found] = [finding for finding in findings if finding.check == check]
    return found


@contextmanager
def stranger(status: int = 200, headers: dict[str, str] | None = None) -> Iterator[str]:
    """Something else that answers; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.send_response_only(status)
            for name, value in {"Date": self.date_time_string(), **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = _answer  # noqa: N815 - as the library calls them

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{serving.server_port}"
        finally:
            serving.shutdown()
            thread.join()


# --- Temporal ---


async def test_a_server_that_does_not_answer_is_one_line_and_the_rest_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings = given(
        qdrant_url=nowhere,
        twilio_base_url=nowhere,
        messaging_data_dir=tmp_path,
        messaging_id_key="short",
    )
    found = await examine(settings, stuck_after=LONG, most=ALL)
    failed = {"temporal", "qdrant", "twilio", "twilio_messaging", "id-key"}
    assert {finding.check for finding in found if finding.state is State.FAIL} == failed
    assert one(found, "spool").state is State.OK
    assert worst(found) is State.FAIL
    assert all(finding.do for finding in found if finding.state is not State.OK)


async def test_a_namespace_that_is_not_there(temporal_address: str) -> None:
    found = await server.reached(await Client.connect(temporal_address, namespace="nowhere"))
    assert (found.state, "TEMPORAL_NAMESPACE" in found.do) == (State.FAIL, True)


async def test_search_attributes_that_are_missing_are_named_with_the_command() -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.support.server.server_flags", lambda: ())
        with temporal_server() as address:
            bare = await Client.connect(address)
            found = await server.attributes(bare)
            assert (await patients.parked(bare)).state is State.OK
    assert (found.state, "MessagingParked" in found.saw) == (State.FAIL, True)
    assert "search-attribute create" in found.do


async def test_nobody_asks_for_work_or_somebody_does(client: Client, bench: Bench) -> None:
    idle = await server.workers(client, given(temporal_task_queue=f"queue-{uuid.uuid4().hex}"))
    assert (one(idle, "workers").state, "messaging worker" in one(idle, "workers").do) == (State.FAIL, True)

    async def asked() -> bool:
        found = await server.workers(client, given(temporal_task_queue=bench.queue))
        return one(found, "workers").state is State.OK

    await eventually(asked)


@pytest.mark.parametrize(("status", "said"), [("UNAUTHENTICATED", "refuses us"), ("UNAVAILABLE", "does not answer")])
def test_a_server_that_refuses_us_is_not_one_that_is_away(status: str, said: str) -> None:
    found = server.unreached(RPCError("no", RPCStatusCode[status], b""))
    assert (found.state, said in found.saw) == (State.FAIL, True)


async def test_a_build_that_is_not_the_current_one(client: Client, temporal_address: str) -> None:
    name = f"shop-{uuid.uuid4().hex}"

    async def looked(build: str, state: State) -> bool:
        settings = given(messaging_deployment=name, messaging_build_id=build)
        return one(await server.workers(client, settings), "builds").state is state

    async with bench_for(client) as bench, bench.worker(deployment_config=deployment(name, "1")):
        await eventually(lambda: looked("1", State.FAIL))
        current = ["set-current-version", "--deployment-name", name, "--build-id", "1", "--yes"]
        command = [str(TEMPORAL), "worker", "deployment", *current, "--address", temporal_address]
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
        await eventually(lambda: looked("1", State.OK))
        assert await looked("2", State.WARN)


async def test_a_build_that_no_worker_ever_had(client: Client) -> None:
    settings = given(messaging_deployment=f"shop-{uuid.uuid4().hex}", messaging_build_id="2026-11")
    assert one(await server.workers(client, settings), "builds").state is State.FAIL


@pytest.mark.parametrize(("ahead", "state"), [(0, State.OK), (10, State.WARN), (-300, State.FAIL)])
async def test_a_clock_that_differs_from_the_servers(
    client: Client, monkeypatch: pytest.MonkeyPatch, ahead: float, state: State
) -> None:
    real = time.time
    monkeypatch.setattr(server.time, "time", lambda: real() + ahead)
    found = await server.clock(client)
    monkeypatch.undo()
    assert found.state is state, found

    async def gone() -> bool:
        return not [one.id async for one in await client.list_schedules() if "doctor" in one.id]

    await eventually(gone)


# --- conversations ---


async def test_a_conversation_whose_workflow_task_fails(
    client: Client, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("code that does not fit")

    monkeypatch.setattr(guard, "notice", broken)
    monkeypatch.setattr(patients, "_TRIES", 1)  # the server waits ten seconds before the third
    person = bench.conversation()
    await person.text("hello")

    async def noticed() -> list[Finding]:
        found = await patients.stuck(client, after=LONG, most=ALL)
        return [finding for finding in found if finding.check == "stuck-tasks"]

    [found] = await eventually(noticed)
    assert (found.state, person.id in found.saw, "messaging replay" in found.do) == (State.FAIL, True, True)


async def test_a_step_that_tries_for_too_long(client: Client, bench: Bench) -> None:
    bench.outbox.fail_before = [errors.NetworkError("away", retryable=True) for _ in range(50)]
    person = bench.conversation()
    await person.text("hello")

    async def noticed() -> list[Finding]:
        found = await patients.stuck(client, after=timedelta(seconds=0.5), most=ALL)
        return [finding for finding in found if finding.check == "stuck-turns" and person.id in finding.saw]

    [found] = await eventually(noticed)
    assert (found.state, "deliver, attempt" in found.saw) == (State.FAIL, True)
    assert [f.state for f in await patients.stuck(client, after=LONG, most=ALL)] == [State.OK]


async def test_a_conversation_that_no_worker_takes(client: Client) -> None:
    left = Bench(client, f"queue-{uuid.uuid4().hex}").conversation()
    await left.text("hello")

    async def noticed() -> list[Finding]:
        found = await patients.stuck(client, after=timedelta(seconds=0.2), most=ALL)
        return [finding for finding in found if left.id in finding.saw and "no worker" in finding.saw]

    assert await eventually(noticed)
    await left.handle.terminate()


# --- sweeps ---


class Unlisted:
    """A provider whose list nobody may see."""

    name = "unlisted"

    async def list_inbound(self, **_: Any) -> None:
        raise errors.AuthorizationError("this key may not list messages")

    async def claim(self, event: Any) -> Any:
        return event

    def get_config(self) -> Any:
        from messaging.config import MessagingConfig  # noqa: PLC0415

        return MessagingConfig(provider=self.name)


async def test_sweeps_that_are_not_there_paused_or_failing(client: Client) -> None:
    queue = f"queue-{uuid.uuid4().hex}"
    settings = given(temporal_task_queue=queue)
    assert (await patients.sweeps(client, settings)).saw == "there is no schedule"
    await keep_sweeping(client, queue, ["unlisted"], timedelta(hours=12))
    assert (await patients.sweeps(client, settings)).state is State.OK
    schedule = client.get_schedule_handle(schedule_id(queue))
    sweeping = Sweeping({"unlisted": Unlisted()}, None)  # type: ignore[arg-type, dict-item]
    async with Worker(
        client,
        task_queue=queue,
        workflows=[SweepWorkflow],
        activities=[sweeping.sweep_page],
        workflow_runner=workflow_runner(),
    ):
        await schedule.trigger()

        async def failed() -> Finding | None:
            found = await patients.sweeps(client, settings)
            return found if found.state is State.FAIL else None

        found = await eventually(failed)
    assert found is not None
    assert "unlisted: authorization_error" in found.saw
    await schedule.pause()
    assert (await patients.sweeps(client, settings)).saw == "the schedule is paused"
    await schedule.delete()
    assert (await patients.sweeps(client, given(messaging_sweep_every=0))).state is State.OK


# --- what stands around ---


@pytest.mark.parametrize(("status", "said"), [(401, "QDRANT_API_KEY"), (404, "QDRANT_URL")])
async def test_a_qdrant_that_refuses_or_is_something_else(status: int, said: str) -> None:
    with stranger(status) as url:
        [found] = await surroundings.qdrant(given(qdrant_url=url))
    assert (found.state, said in found.do) == (State.FAIL, True)


async def test_a_spool_that_cannot_be_made_or_is_not_drained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    [found] = await surroundings.spool(given(messaging_spool=tmp_path / "file" / "spool"))
    assert (found.state, "MESSAGING_SPOOL" in found.do) == (State.FAIL, True)

    settings = given(messaging_spool=tmp_path / "spool")
    spool = Spool(tmp_path / "spool", megabytes=1)
    await spool.put([Spooled(key=str(n), conversation="c", event=b"{}") for n in range(3)])
    assert "3 events wait" in one(await surroundings.spool(settings), "spool").saw
    await spool.refuse(spool.peek(1)[0].id, "too large")
    for seconds, state in ((600, State.WARN), (6000, State.FAIL)):
        with spool._connection as connection:
            connection.execute("UPDATE spooled SET at = at - ?", (seconds,))
        later = await surroundings.spool(settings)
        assert one(later, "spool").state is state
        assert one(later, "spool-refused").state is State.WARN
    await spool.aclose()


async def test_settings_of_a_provider_that_are_missing() -> None:
    [found] = await surroundings.providers(given(twilio_account_sid=None))
    assert (found.state, "TWILIO_ACCOUNT_SID" in found.saw) == (State.FAIL, True)


# --- Twilio ---


async def test_credentials_that_are_wrong(simulator: RunningSimulator) -> None:
    settings = given(twilio_auth_token="another", twilio_base_url=simulator.base_url)
    found = await surroundings.providers(settings)
    assert {finding.check: finding.state for finding in found} == {
        "twilio": State.FAIL,
        "twilio_messaging": State.FAIL,
    }
    assert "TWILIO_AUTH_TOKEN" in found[0].do


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (200, {}, "wrong signature"),
        (403, {}, "403"),
        (302, {"Location": "https://login.example"}, "302"),
        (404, {}, "404"),
        (503, {}, "503"),
    ],
)
async def test_a_public_url_where_something_else_answers(
    simulator: RunningSimulator, status: int, headers: dict[str, str], said: str
) -> None:
    with stranger(status, headers) as url:
        found = await surroundings.providers(given(public_url=url, twilio_base_url=simulator.base_url))
    for check in ("public-url-status", "public-url-conversations"):
        assert (one(found, check).state, said in one(found, check).saw) == (State.FAIL, True)
        assert one(found, check).do


async def test_a_public_url_where_nothing_answers(simulator: RunningSimulator) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    found = await surroundings.providers(given(public_url=url, twilio_base_url=simulator.base_url))
    assert "nothing answers" in one(found, "public-url-status").saw


@pytest.mark.parametrize(
    ("hook", "state", "said"),
    [
        ("https://example.org/webhooks/twilio/messages#rc=5", State.OK, "our webhook"),
        ("https://else.example/texts?secret=1", State.FAIL, "https://else.example/texts of"),
        ("", State.FAIL, "nobody"),
    ],
)
async def test_where_the_texts_to_our_number_go(
    simulator: RunningSimulator, hook: str, state: State, said: str
) -> None:
    simulator.send_webhooks_to(hook)
    settings = given(twilio_base_url=simulator.base_url, twilio_phone_number=simulator.phone_number)
    found = one(await surroundings.providers(settings), "number-webhook")
    assert (found.state, said in found.saw) == (state, True), found
    assert "secret" not in found.saw
    if state is State.FAIL:
        assert "https://example.org/webhooks/twilio/messages" in found.do


async def test_a_number_that_is_not_ours(simulator: RunningSimulator) -> None:
    settings = given(twilio_base_url=simulator.base_url, twilio_phone_number="+15550109999")
    found = one(await surroundings.providers(settings), "number-webhook")
    assert (found.state, "no number of this account" in found.saw) == (State.FAIL, True)


@pytest.mark.parametrize(
    ("hook", "events", "state", "said"),
    [
        ("https://example.org/webhooks/twilio/conversations", ["onMessageAdded"], State.OK, "our webhook"),
        ("https://example.org/webhooks/twilio/conversations", ["onMessageRemoved"], State.FAIL, "not told"),
        ("https://else.example/hook", ["onMessageAdded"], State.WARN, "else.example"),
        ("", ["onMessageAdded"], State.WARN, "nobody"),
    ],
)
async def test_where_messages_of_conversations_go(
    simulator: RunningSimulator, hook: str, events: list[str], state: State, said: str
) -> None:
    simulator.client().conversations.v1.configuration.webhooks().update(post_webhook_url=hook, filters=events)
    found = await surroundings.providers(given(twilio_base_url=simulator.base_url))
    assert (one(found, "conversations-webhook").state, said in one(found, "conversations-webhook").saw) == (state, True)


@pytest.mark.parametrize(("ahead", "state"), [(0, State.OK), (20, State.WARN), (-3600, State.FAIL)])
async def test_a_clock_that_differs_from_twilios(ahead: float, state: State) -> None:
    theirs = format_datetime(datetime.now(UTC) - timedelta(seconds=ahead), usegmt=True)
    with stranger(401, {"Date": theirs}) as url:
        found = await twilio_diagnosis.clock(url)
    assert found.state is state, found
