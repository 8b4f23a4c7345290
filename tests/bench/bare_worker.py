"""The bare workflow's worker, a process of its own as ours is. `python -m tests.bench.bare_worker`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from tests.bench import bare
from tests.bench.arrivals import Reporter


class Sender:
    """Where a turn would call the provider, this reports to the driver."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    @activity.defn(name="bare_send")
    async def send(self, text: str) -> str:
        """Report."""
        self._reporter.report(text)
        return text


async def main() -> None:
    """Run until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--report-to", type=int, required=True)
    given = parser.parse_args()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await Client.connect(given.address)
    activities = [bare.echo, Sender(Reporter(given.report_to)).send]
    async with Worker(client, task_queue=bare.QUEUE, workflows=[bare.BareWorkflow], activities=activities):
        await stop.wait()
    del client
    gc.collect()  # the native client must go before the interpreter does (temporalio/sdk-python#300)


if __name__ == "__main__":
    asyncio.run(main())
