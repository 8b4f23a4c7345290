"""What came in is accounted for, and what no webhook brought is fetched: on everything that `messaging dev` starts."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from temporalio.client import Client, ScheduleOverlapPolicy
from typer.testing import CliRunner

from cli.main import app
from runtime import spool
from runtime.sweeping import keep_sweeping, schedule_id
from runtime.temporal import CONVERTER
from tests.support.ports import eventually
from tests.support.stack import Phone, Stack, running
from workflows.sweeping import Swept

QUEUE = "conversations"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("ledger") / "data") as stack:
        yield stack


@dataclass(slots=True)
class Desk:
    """A terminal beside the running stack, and the simulator's controls."""

    stack: Stack
    http: httpx.AsyncClient

    @staticmethod
    async def messaging(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))

    async def ledger(self, since: datetime) -> tuple[int, dict[str, Any]]:
        done = await self.messaging("ledger", "--since", since.isoformat(), "--until", "0s", "--json")
        assert done.stdout, done.exception
        return done.exit_code, json.loads(done.stdout)

    async def sweep(self, since: datetime) -> dict[str, Any]:
        done = await self.messaging("sweep", "--since", since.isoformat(), "--until", "0s", "--json")
        assert done.exit_code == 0, done.exception
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def phone(self) -> Phone:
        return Phone(self.stack, f"+1555{uuid.uuid4().int % 10**7:07}", self.http)

    async def lose(self, event: str, times: int) -> None:
        fault = {"kind": "webhook_drop", "event": event, "times": times}
        (await self.sim("POST", "faults", fault)).raise_for_status()

    async def sim(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.http.request(method, f"{self.stack.urls['simulator']}/_sim/{path}", json=body)

    async def buy(self, number: str, *, sms_url: str) -> None:
        account, token = (self.stack.data / "account_sid", self.stack.data / "auth_token")
        sid = f"AC{account.read_text().strip()}"
        bought = await self.http.post(
            f"{self.stack.urls['simulator']}/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json",
            auth=(sid, token.read_text().strip()),
            data={"PhoneNumber": number, "SmsUrl": sms_url},
        )
        bought.raise_for_status()

    async def temporal(self) -> Client:
        return await Client.connect(self.stack.urls["temporal_address"], data_converter=CONVERTER)


# What a command takes from the folder of the running stack where no variable says otherwise.
_FOUND = ("TEMPORAL_ADDRESS", "QDRANT_URL", "PUBLIC_URL", "TWILIO_BASE_URL", "TWILIO_PHONE_NUMBER")
_KEPT = ("TWILIO_WHATSAPP_NUMBER", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "MESSAGING_ID_KEY", "MESSAGING_DATA_DIR")


@pytest.fixture
async def desk(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Desk]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".messaging").symlink_to(stack.data)
    for name in (*_FOUND, *_KEPT):
        monkeypatch.setenv(name, "")  # and taken back at the end, whatever the command makes of it
    async with httpx.AsyncClient(timeout=30) as http:
        yield Desk(stack, http)


async def quiet(seconds: float = 1.1) -> datetime:
    """A time that nothing of another test is after: Twilio's times have whole seconds."""
    await asyncio.sleep(seconds)
    return datetime.now(UTC).replace(microsecond=0)


async def test_texts_whose_webhooks_were_lost_are_told_and_fetched_once(desk: Desk) -> None:
    since = await quiet()
    ana, ben = desk.phone(), desk.phone()
    await ana.ask("hello")
    await desk.lose("message", 3)
    await desk.lose("onMessageAdded", 1)
    await ana.text("one that is lost")
    await ana.text("and another")
    await ben.text("a stranger's, by WhatsApp", channel="whatsapp")
    chat = (await desk.sim("POST", "chat", {"identity": f"chat-{uuid.uuid4().hex}", "body": "and a chat"})).json()

    code, told = await desk.ledger(since)
    assert (code, told["messages"]) == (1, 5)
    assert told["states"] == {"answered": 1, "unaccounted": 4}
    assert f"{chat['sid']}:onMessageAdded" in {one["id"] for one in told["unaccounted"]}
    assert not any(word in json.dumps(told) for word in (ana.number[1:], ben.number[1:], "lost"))

    swept = await desk.sweep(since)
    assert swept["recovered"] == {"twilio": 1, "twilio_messaging": 3}
    await ana.wait(2)
    await ben.wait(1)

    async def balanced() -> dict[str, int] | None:
        code, told = await desk.ledger(since)
        return told["states"] if code == 0 and not told["states"].get("in_progress") else None

    states = await eventually(balanced, within=60)
    assert states is not None
    assert {"answered", "unaccounted"} <= states.keys() <= {"answered", "coalesced", "unaccounted"}
    assert (states["unaccounted"], sum(states.values())) == (0, 5)
    again = await desk.sweep(since)
    assert (sum(again["listed"].values()), sum(again["recovered"].values())) == (5, 0)


async def test_what_is_texted_to_another_webhook_is_left_alone(desk: Desk) -> None:
    since = await quiet()
    stranger = "+15550100177"
    await desk.buy(stranger, sms_url="https://else.example/texts")
    number = desk.phone().number
    sent = await desk.sim("POST", "inbound", {"from": number, "to": stranger, "body": "for somebody else"})
    assert sent.status_code == 201
    code, told = await desk.ledger(since)
    assert (code, told["messages"], told["elsewhere"]) == (0, 0, 1)
    swept = await desk.sweep(since)
    assert (swept["recovered"]["twilio_messaging"], swept["elsewhere"]["twilio_messaging"]) == (0, 1)


async def test_each_sweep_of_the_schedule_goes_on_from_the_one_before(desk: Desk) -> None:
    client = await desk.temporal()
    schedule = client.get_schedule_handle(schedule_id(QUEUE))
    assert (await schedule.describe()).schedule.spec.intervals[0].every == timedelta(minutes=15)

    async def run() -> Swept:
        before = (await schedule.describe()).info.num_actions
        await schedule.trigger(overlap=ScheduleOverlapPolicy.BUFFER_ONE)

        async def started() -> Any:
            info = (await schedule.describe()).info
            return info.recent_actions[-1].action if info.num_actions > before else None

        action = await eventually(started)
        assert action is not None
        found: Swept = await client.get_workflow_handle(
            action.workflow_id, run_id=action.first_execution_run_id, result_type=Swept
        ).result()
        return found

    first, second = await run(), await run()
    assert first.failed == {} == second.failed
    assert second.reached["twilio"] > first.reached["twilio"]
    assert set(second.listed) == {"twilio", "twilio_messaging"}


async def test_the_schedule_is_changed_paused_and_ended_as_set(desk: Desk) -> None:
    client = await desk.temporal()
    queue = f"queue-{uuid.uuid4().hex}"
    handle = client.get_schedule_handle(schedule_id(queue))
    await keep_sweeping(client, queue, ["twilio"], timedelta(seconds=60))
    await handle.pause()
    await asyncio.gather(*(keep_sweeping(client, queue, ["twilio"], timedelta(seconds=120)) for _ in range(3)))
    found = (await handle.describe()).schedule
    assert (found.spec.intervals[0].every, found.state.paused) == (timedelta(seconds=120), True)
    for _ in range(2):
        await keep_sweeping(client, queue, ["twilio"], timedelta(0))

    async def gone() -> bool:
        return schedule_id(queue) not in [one.id async for one in await client.list_schedules()]

    await eventually(gone)


async def test_the_doctor_finds_nothing_wrong_until_something_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    done = await desk.messaging("doctor", "--json")
    told = json.loads(done.stdout)
    assert [finding for finding in told["findings"] if finding["state"] != "ok"] == []
    assert (done.exit_code, told["state"]) == (0, "ok")
    looked_at = {finding["check"] for finding in told["findings"]}
    assert looked_at >= {"temporal", "workers", "stuck", "sweeps", "qdrant", "spool", "twilio", "number-webhook"}

    # The same place by another name: the signature covers the address, as with a proxy that changes it.
    monkeypatch.setenv("PUBLIC_URL", desk.stack.urls["api"].replace("127.0.0.1", "localhost"))
    done = await desk.messaging("doctor")
    assert done.exit_code == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("fail")]
    for check in ("public-url-status", "public-url-conversations"):
        [line] = [line for line in wrong if check in line]
        assert "403" in line
        assert "PUBLIC_URL and TWILIO_AUTH_TOKEN must be the API's own" in line
    assert {line.split()[1] for line in wrong} == {"public-url-status", "public-url-conversations", "number-webhook"}


@pytest.mark.parametrize("command", ["ledger", "sweep"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--since", "yesterday"), "a duration before now"),
        (("--since", "2026-11-24T12:00:00"), "with its offset"),
        (("--since", "2999-01-01T00:00:00Z"), "to come"),
        (("--since", "1m", "--until", "2h"), "before --until"),
        ((), "--since"),
    ],
)
async def test_a_period_that_makes_no_sense_is_told(command: str, options: tuple[str, ...], said: str) -> None:
    result = await asyncio.to_thread(CliRunner().invoke, app, [command, *options])
    assert (result.exit_code, said in " ".join(result.output.replace("│", "").split())) == (2, True)


def test_what_waits_in_a_spool_is_looked_up_without_opening_it_for_writing(tmp_path: Any) -> None:
    assert spool.look(tmp_path, ["a"]) == {}
    assert list(tmp_path.iterdir()) == []
