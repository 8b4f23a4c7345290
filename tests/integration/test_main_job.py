"""The main job, as a newcomer runs it: `messaging dev`, real processes, a phone on the simulator."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from tests.support.ports import eventually
from tests.support.stack import ROOT, Phone, Stack, running

pytestmark = pytest.mark.slow

SLOW_AGENT = """
    import asyncio, pathlib

    async def reply(turn):
        pathlib.Path("writing").touch()
        await asyncio.sleep(3)
        return "answer to: " + " / ".join(turn.text.splitlines())
"""


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10) as http:
        yield http


def agent(folder: Path, source: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "slow_agent.py").write_text(textwrap.dedent(source))


async def test_twelve_turns_over_two_channels_each_answered_once_in_order_and_from_memory(
    tmp_path: Path, http: httpx.AsyncClient
) -> None:
    with running(tmp_path / "data") as stack:
        phone = Phone(stack, "+15550100011", http)
        script = [
            ("sms", "Hello!", None),
            ("sms", "My order number is 4711-B.", None),
            ("sms", "When are you open on Saturday?", "saturday"),
            ("sms", "Where is your shop?", None),
            ("sms", "How many days do I have to return something?", "30"),
            ("sms", "Do you repair punctures?", None),
            ("whatsapp", "Hi, it is me again", None),
            ("whatsapp", "Do you deliver?", "deliver"),
            ("whatsapp", "Can I take a test ride?", "test"),
            ("whatsapp", "What is the capital of Peru?", None),
            ("whatsapp", "Thanks!", None),
            ("whatsapp", "What was my order number?", "4711-b"),
        ]
        for number, (channel, body, expected) in enumerate(script, start=1):
            answer = await phone.ask(body, channel=channel)
            assert answer
            if expected:
                assert expected in answer.lower(), (number, body, answer)
            assert "lima" not in answer.lower()

        rows = await phone.messages()
        assert [row["direction"].partition("-")[0] for row in rows] == ["inbound", "outbound"] * len(script)
        assert [row["channel"] for row in rows] == [channel for channel, _, _ in script for _ in range(2)]

        listed = (await http.get(f"{stack.urls['api']}/v1/conversations")).json()["items"]
        assert {row["channel"] for row in listed} == {"sms", "whatsapp"}
        assert len({row["contact_id"] for row in listed}) == 1
        assert "15550100011" not in json.dumps(listed)
        for log in (stack.data / "logs").iterdir():
            assert "15550100011" not in log.read_text(errors="replace"), log.name
            assert "4711-B" not in log.read_text(errors="replace"), log.name
        # Temporal UI has the run that the console links to.
        run = listed[0]
        page = await http.get(f"{stack.urls['console']}/{run['id']}")
        link = f"{stack.urls['temporal_ui']}/namespaces/default/workflows/{run['id']}/{run['run_id']}/history"
        assert link in page.text
        assert (await http.get(link)).status_code == 200

    # Everything is stopped, nothing is lost: the next start goes on.
    with running(tmp_path / "data") as stack:
        phone = Phone(stack, "+15550100011", http)
        assert len(await phone.answers()) == len(script)
        assert "4711" in await phone.ask("what is my order number again?")


async def test_a_worker_killed_while_the_agent_writes_still_answers_once(
    tmp_path: Path, http: httpx.AsyncClient
) -> None:
    agent(tmp_path / "data", SLOW_AGENT)
    with running(tmp_path / "data", MESSAGING_AGENT="slow_agent:reply") as stack:
        phone = Phone(stack, "+15550100012", http)
        await phone.text("hello")
        await eventually(lambda: _exists(tmp_path / "data" / "writing"))
        stack.kill("worker")

        assert await phone.wait(1, within=90) == ["answer to: hello"]
        assert await phone.ask("and again", within=90) == "answer to: and again"
        assert len(await phone.answers()) == 2


async def test_three_texts_while_the_agent_writes_are_one_answer_or_three_in_order(
    tmp_path: Path, http: httpx.AsyncClient
) -> None:
    agent(tmp_path / "data", SLOW_AGENT)
    with running(tmp_path / "data", MESSAGING_AGENT="slow_agent:reply") as stack:
        phone = Phone(stack, "+15550100013", http)
        for body in ("one", "two", "three"):
            await phone.text(body)
        assert await phone.wait(1) == ["answer to: one / two / three"]
        await asyncio.sleep(1)
        assert len(await phone.answers()) == 1

    with running(tmp_path / "data", MESSAGING_AGENT="slow_agent:reply", MESSAGING_TURN_POLICY="enqueue") as stack:
        phone = Phone(stack, "+15550100013", http)
        for body in ("four", "five", "six"):
            await phone.text(body)
        assert (await phone.wait(4))[1:] == ["answer to: four", "answer to: five", "answer to: six"]


async def test_a_killed_temporal_server_loses_nothing(tmp_path: Path, http: httpx.AsyncClient) -> None:
    agent(tmp_path / "data", SLOW_AGENT)
    with running(tmp_path / "data", MESSAGING_AGENT="slow_agent:reply") as stack:
        phone = Phone(stack, "+15550100014", http)
        assert await phone.ask("before") == "answer to: before"
        await phone.text("during")
        await eventually(lambda: _in_history(stack, "during"))
        stack.kill("temporal")

        assert await phone.wait(2, within=120) == ["answer to: before", "answer to: during"]
        assert await phone.ask("after", within=120) == "answer to: after"
        assert len(await phone.answers()) == 3


async def test_a_conversation_by_the_conversations_api_is_answered_there(
    tmp_path: Path, http: httpx.AsyncClient
) -> None:
    with running(tmp_path / "data") as stack:
        simulator = stack.urls["simulator"]
        opened = await http.post(f"{simulator}/_sim/chat", json={"identity": "ana", "body": "When are you open?"})
        sid = opened.raise_for_status().json()["conversation_sid"]

        account = (f"AC{(stack.data / 'account_sid').read_text()}", (stack.data / "auth_token").read_text())

        async def answers() -> list[str]:
            page = await http.get(f"{simulator}/v1/Conversations/{sid}/Messages", auth=account)
            return [row["body"] for row in page.json()["messages"] if row["author"] == "agent"]

        assert len(await eventually(answers)) == 1
        listed = (await http.get(f"{stack.urls['api']}/v1/conversations")).json()["items"]
        assert [(row["provider_sid"], row["id"]) for row in listed] == [(sid, f"twilio-{sid}")]


def test_an_agent_that_cannot_be_imported_is_named_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "dev", "--data-dir", str(tmp_path), "--api-port", "0", "--simulator-port", "0"],
        env={"PATH": "", "PYTHONPATH": str(ROOT), "MESSAGING_AGENT": "nowhere:reply"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert "MESSAGING_AGENT" in done.stderr


async def _exists(path: Path) -> bool:
    return path.exists()


async def _in_history(stack: Stack, text: str) -> bool:
    client = await Client.connect(stack.urls["temporal_address"])
    async for execution in client.list_workflows("WorkflowType = 'ConversationWorkflow'"):
        history = await client.get_workflow_handle(execution.id).fetch_history()
        signals = (event.workflow_execution_signaled_event_attributes for event in history.events)
        if any(text.encode() in signal.SerializeToString() for signal in signals):
            return True
    return False
