"""What operators use in a terminal: lists, accounts of turns, replays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from temporalio.client import Client
from typer.testing import CliRunner

from agents.turn import Draft, Turn
from cli.main import app
from memory.store import MemoryUnavailable
from tests.integration.harness import Bench, bench_for
from tests.replay import record
from tests.support import flows, ledger
from tests.support.ports import eventually
from workflows import catalogue, policy
from workflows.conversation import ConversationWorkflow
from workflows.policy import Rules

Command = Callable[..., Any]


@pytest.fixture
async def bench(client: Client) -> AsyncIterator[Bench]:
    catalogue.install(flows.ALL, "tests.support.flows:ALL")
    ledger.clear()
    async with bench_for(client, flows=flows.ALL) as bench:
        yield bench


@pytest.fixture
def messaging(temporal_address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """The command, in a process's own loop."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    monkeypatch.chdir(tmp_path)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))

    return run


async def test_a_conversation_is_explained_turn_by_turn(bench: Bench, messaging: Command) -> None:
    async def answer(turn: Turn) -> Draft:
        return Draft(text=f"call +15550100199 or {turn.text}", sources=("hours.md: Opening",))

    bench.agent.reply_with = answer
    person = bench.conversation()
    await person.text("hello, I am +15550100001")
    await person.turn(1)
    bench.memory.away = MemoryUnavailable("away")
    await person.text("and again")
    await person.turn(2)
    await person.text("STOP")
    await person.turn(3)

    shown = await messaging("conversations", "show", person.id)
    assert shown.exit_code == 0, shown.output
    first, second, third = shown.output.split("\nturn ")[1:]
    for part, words in (
        (first, ["1: answered", "hello, I am [number]", "recalled  0", "drafted   call [number]", "proven: accepted"]),
        (second, ["2: answered", "memory away", "rests on  hours.md: Opening", "recall fell back"]),
        (third, ["3: opted_out", "STOP"]),
    ):
        assert [word for word in words if word not in part] == [], part
    assert "sent" not in third
    assert "5550100" not in shown.output

    told = json.loads((await messaging("conversations", "show", person.id, "--json")).output)
    assert [(turn["number"], turn["outcome"]) for turn in told["turns"]] == [
        (1, "answered"),
        (2, "answered"),
        (3, "opted_out"),
    ]
    assert "5550100" not in json.dumps(told["turns"])


async def test_an_account_goes_back_through_runs_that_were_continued_or_opened_again(
    bench: Bench, messaging: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "EVENT_BUDGET", 1)  # each turn ends its run
    person = bench.conversation()
    for number in (1, 2):
        await person.text(f"text {number}")
        await person.turn(number)
    await person.handle.execute_update(ConversationWorkflow.close)
    await person.handle.result()
    await person.text("text 3", previous_run_id=(await person.handle.describe()).run_id)
    await person.turn(3)

    told = json.loads((await messaging("conversations", "show", person.id, "--json")).output)["turns"]
    assert [turn["drafts"] for turn in told] == [[f"re: text {number}"] for number in (1, 2, 3)]
    assert [turn["recalled"] for turn in told] == [0, 0, 0]
    assert len({turn["run"] for turn in told}) == 3
    shown = (await messaging("conversations", "show", person.id)).output
    assert [shown.count(turn["run"]) for turn in told] == [1, 1, 1]


async def test_a_question_is_seen_and_decided_in_the_terminal(bench: Bench, messaging: Command) -> None:
    person = bench.conversation(Rules(flow=flows.SHOP.ref))
    await person.text("pay 200")

    async def asked() -> bool:
        return "pay 200? (pending)" in (await messaging("conversations", "show", person.id)).output

    await eventually(asked)
    assert (await messaging("conversations", "approve", person.id, "--by", "ana")).exit_code == 0
    await person.turn(1)
    assert bench.outbox.bodies == ["1: paid 200 as 1 (ana agreed)"]
    shown = (await messaging("conversations", "show", person.id)).output
    assert "tool      pay: done" in shown
    again = await messaging("conversations", "decline", person.id, "--by", "ana")
    assert "0 questions wait" in str(again.exception)


async def test_a_conversation_is_taken_given_back_and_closed_in_the_terminal(bench: Bench, messaging: Command) -> None:
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    await messaging("conversations", "takeover", person.id, "--by", "ana")
    assert (await person.view()).assignee == "ana"
    refused = await messaging("conversations", "takeover", person.id, "--by", "bo")
    assert "somebody else" in str(refused.exception)
    await messaging("conversations", "release", person.id)
    assert (await person.view()).assignee is None
    listed = await messaging("conversations", "list", "--json", "--limit", "200")
    assert person.id in [row["id"] for row in json.loads(listed.output)]
    await messaging("conversations", "close", person.id)
    await person.handle.result()
    gone = await messaging("conversations", "release", person.id)
    assert "closed" in str(gone.exception)


async def test_nothing_known_and_nobody_there_are_one_sentence(
    messaging: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = await messaging("conversations", "show", "nobody")
    assert "no conversation of this id" in str(unknown.exception)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    away = await messaging("conversations", "list")
    assert "Temporal does not answer" in str(away.exception)


async def test_a_conversation_of_today_replays(bench: Bench, messaging: Command) -> None:
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    replayed = await messaging("replay", person.id)
    assert (replayed.exit_code, replayed.output.split(",")[0]) == (0, f"{person.id}: replays")


async def test_a_history_that_other_code_made_is_told_with_the_place_where_it_breaks(
    messaging: Command, tmp_path: Path
) -> None:
    [sound] = record.files("single-turn")
    told = json.loads(sound.read_text())
    [place] = [
        number
        for number, event in enumerate(told["events"])
        if event.get("activityTaskScheduledEventAttributes", {}).get("activityType", {}).get("name") == "deliver"
    ]
    told["events"][place]["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "send"
    (tmp_path / "broken.json").write_text(json.dumps(told))

    replayed = await messaging("replay", "--file", str(sound), "--file", "broken.json")
    first, second, *rest = replayed.output.splitlines()
    assert replayed.exit_code == 1
    assert first.startswith(f"{sound}: replays")
    assert second.startswith("broken.json: does not replay; it breaks among the events")
    assert any(line.strip().startswith(f"{place + 1} activity_task_scheduled send") for line in rest), replayed.output
    assert "ondeterminism" in rest[-1]


async def test_a_conversation_is_followed_as_it_happens(bench: Bench, temporal_address: str, tmp_path: Path) -> None:
    person = bench.conversation()
    await person.text("hello, I am +15550100001")
    await person.turn(1)
    following = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "conversations", "tail", person.id, "--json"),
        env=os.environ | {"TEMPORAL_ADDRESS": temporal_address},
        stdout=asyncio.subprocess.PIPE,
    )
    assert following.stdout is not None
    lines = [json.loads(await following.stdout.readline()) for _ in range(2)]
    await person.text("and again")
    lines += [json.loads(await following.stdout.readline()) for _ in range(2)]
    following.send_signal(signal.SIGINT)
    await following.communicate()

    assert following.returncode == 0
    said = [(line["direction"], line["body"]) for line in lines]
    assert [direction for direction, _ in said[:2]] == ["inbound", "outbound"]
    assert ("inbound", "and again") in said
    assert "0100001" not in str(said)
