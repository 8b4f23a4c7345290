"""Each test has a simulator and a receiver of its own."""

from collections.abc import Iterator

import pytest

from tests.simulator import census
from tests.simulator.harness import Receiver, Running, receiver, simulator


@pytest.fixture
def product() -> Iterator[Receiver]:
    with receiver() as got:
        yield got


@pytest.fixture
def sim(product: Receiver) -> Iterator[Running]:
    with simulator(product.base) as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the drives by the genuine SDKs and the comparison with Twilio's documents have counted."""
    if lines := census.report():
        terminalreporter.section("the simulator and Twilio")
        terminalreporter.write("\n".join(lines) + "\n")
