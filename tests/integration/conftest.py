"""A bench: one worker around ports that a test can see into."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.integration.clock import Clock, skipping
from tests.integration.harness import Bench, bench_for


@pytest.fixture
async def bench(client: Client) -> AsyncIterator[Bench]:
    async with bench_for(client) as bench:
        yield bench


@pytest.fixture
async def clock() -> AsyncIterator[Clock]:
    async with skipping() as clock:
        yield clock
