"""The search attributes of a namespace: made where they are missing, told where they cannot be, missed by no text."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from runtime import attributes, temporal
from runtime.attributes import SearchAttributesMissing
from runtime.gateway import Gateway
from tests.integration.harness import bench_for
from tests.integration.test_gateway import Person
from tests.support.gate import gate_to
from tests.support.server import TEMPORAL, temporal_server
from workflows import index
from workflows.policy import Rules


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    """A server that nobody has prepared."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.support.server.server_flags", lambda: ())
        with temporal_server() as address:
            yield address


async def test_they_are_made_once_and_no_text_waits_for_them(bare: str) -> None:
    client = await Client.connect(bare, data_converter=pydantic_data_converter)
    async with bench_for(client) as bench:
        gateway = Gateway(client=client, task_queue=bench.queue, id_key=b"k" * 16, rules=Rules())
        first = Person().says("hello")
        await gateway.accept([first])
        assert (await client.get_workflow_handle(gateway.conversation_id(first)).describe()).status is not None

        assert set(await attributes.ensure(client)) == set(index.TYPES)
        assert await attributes.ensure(client) == ()


async def test_a_worker_that_starts_waits_for_a_server_that_goes_away_before_it_has_answered(
    bare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gate_to(bare) as gate:
        monkeypatch.setenv("TEMPORAL_ADDRESS", gate.address)
        client = await temporal.connect(patience=timedelta(milliseconds=100))
        await gate.shut()
        asking = asyncio.create_task(temporal.when_up(partial(attributes.ensure, client)))
        assert not (await asyncio.wait({asking}, timeout=1))[0]
        await gate.open()
        await asyncio.wait_for(asking, 30)


def test_the_command_that_is_told_makes_them() -> None:
    told = attributes.command("default").split()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.support.server.server_flags", lambda: ())
        with temporal_server() as address:
            subprocess.run([str(TEMPORAL), *told[1:], "--address", address], check=True, capture_output=True)
            listed = subprocess.run(
                [str(TEMPORAL), "operator", "search-attribute", "list", "--address", address],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
    assert {name for name in index.TYPES if name in listed} == set(index.TYPES)


async def test_one_of_another_type_is_in_the_way_and_named(bare: str) -> None:
    client = await Client.connect(bare)
    await attributes.ensure(client)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(index.TYPES, "MessagingState", "Datetime")
        with pytest.raises(SearchAttributesMissing, match="MessagingState"):
            await attributes.ensure(client)
