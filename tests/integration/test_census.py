"""The gauge of open conversations shows what Temporal says."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from temporalio.client import Client

from messaging.metrics import observe_active
from runtime.census import Census, observe_backlog
from tests.integration.harness import Bench
from tests.support.ports import eventually, free_port


async def test_open_conversations_are_counted_by_provider_and_closed_ones_are_not(bench: Bench) -> None:
    provider = f"census{uuid.uuid4().hex[:8]}"
    people = [bench.conversation() for _ in range(3)]
    for number, person in enumerate(people):
        person.id = f"{provider}{'_more' if number == 2 else ''}-{uuid.uuid4().hex}"
        await person.text("hello")
        await person.turn(1)
    await people[0].handle.execute_update("close")
    census = Census(bench.client, (provider, f"{provider}_more"))

    async def counted() -> bool:
        await census.look()
        return dict(census.counts()) == {provider: 1, f"{provider}_more": 1}

    assert await eventually(counted)
    reader = InMemoryMetricReader()
    meters = MeterProvider(metric_readers=[reader])
    observe_active(census.counts, meters.get_meter("test"))
    data = reader.get_metrics_data()
    assert data is not None
    [metric] = data.resource_metrics[0].scope_metrics[0].metrics
    assert metric.name == "messaging_active_conversations"
    assert {point.attributes["provider"]: point.value for point in metric.data.data_points} == dict(census.counts())
    meters.shutdown()


async def test_what_waits_for_a_worker_is_counted_until_one_comes(client: Client) -> None:
    bench = Bench(client, f"queue-{uuid.uuid4().hex}")
    census = Census(client, (), queue=bench.queue)
    for _ in range(3):
        await bench.conversation().text("hello")

    def backlog(tasks: int) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            await census.look()
            waiting = {found.kind: found.tasks for found in census.waiting()}
            return waiting == {"workflow": tasks, "activity": 0}

        return look

    assert await eventually(backlog(3))
    async with bench.worker():
        assert await eventually(backlog(0))
    reader = InMemoryMetricReader()
    meters = MeterProvider(metric_readers=[reader])
    observe_backlog(census, meters.get_meter("test"))
    data = reader.get_metrics_data()
    assert data is not None
    names = {metric.name for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    assert names == {"messaging_backlog_tasks", "messaging_backlog_seconds"}
    meters.shutdown()


async def test_while_temporal_is_away_nothing_is_said_and_the_looking_goes_on() -> None:
    client = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)
    census = Census(client, ("twilio",), every=timedelta(milliseconds=50))
    async with census.kept():
        await census.look()
        assert census.counts() == ()
