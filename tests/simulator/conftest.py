"""Each test has a simulator and a receiver of its own."""

from collections.abc import Iterator

import pytest

from tests.simulator.harness import Receiver, Running, receiver, simulator


@pytest.fixture
def product() -> Iterator[Receiver]:
    with receiver() as got:
        yield got


@pytest.fixture
def sim(product: Receiver) -> Iterator[Running]:
    with simulator(product.base) as running:
        yield running
