"""A conversation that is asked how it stands, while it works, leaves a history that replays.

A query that meets a workflow task with a local activity makes the worker end that task early. Where the activity has
just ended, a replay takes its end for a part of that task; what was begun before and cancelled after was never begun.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Replayer

from runtime import histories
from runtime.temporal import workflow_runner
from tests.integration.harness import Bench, Conversation, bench_for
from workflows import policy
from workflows.conversation import ConversationWorkflow
from workflows.policy import ConsentScope, Rules

PEOPLE, TEXTS = 2, 4


@pytest.fixture
async def bench(client: Client) -> AsyncIterator[Bench]:
    async with bench_for(client) as bench:
        yield bench


async def test_a_conversation_that_is_asked_all_the_time_replays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "EVENT_BUDGET", 1)  # each turn ends its run, and so what runs beside it
    rules = Rules(consent=ConsentScope.CONTACT)  # which is asked for by a local activity, before each turn
    people = [bench.conversation(rules) for _ in range(PEOPLE)]
    await asyncio.gather(*(_texts(person) for person in people))
    replayer = Replayer(
        workflows=[ConversationWorkflow],
        workflow_runner=workflow_runner(),
        data_converter=pydantic_data_converter,
        debug_mode=True,  # a busy machine is no deadlock
    )
    runs, broken = 0, []
    for person in people:
        async for run in histories.of(bench.client, person.id, patience=timedelta(seconds=10)):
            runs += 1
            history = WorkflowHistory(person.id, list(run.events))
            result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
            broken += [result.replay_failure] if result.replay_failure else []
    assert (runs > PEOPLE, broken) == (True, [])


async def _texts(person: Conversation) -> None:
    await person.text("STOP")
    await person.turn(1)
    asking = [asyncio.create_task(_asks(person)) for _ in range(2)]
    for number in range(2, TEXTS + 2):
        await person.text(f"text {number}")
        await person.turn(number, within=40)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    # A replay of what is still at work would wait for it.
    await person.handle.execute_update(ConversationWorkflow.close)
    await person.handle.result()


async def _asks(person: Conversation) -> None:
    while True:
        with contextlib.suppress(RPCError):
            await person.view()
        await asyncio.sleep(0.01)
