"""One Temporal server for the whole run; each test has task queues and conversations of its own."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from temporalio.client import Client

from runtime.temporal import CONVERTER
from tests.support.server import temporal_server
from workflows import catalogue


@pytest.fixture(scope="session")
def temporal_address() -> Iterator[str]:
    with temporal_server() as address:
        yield address
        gc.collect()  # native clients go before the interpreter does (temporalio/sdk-python#300)


@pytest.fixture(autouse=True)
def _own_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test installs is nothing to the next: a catalogue is a process's."""
    monkeypatch.setattr(catalogue, "_PLACES", dict(catalogue._PLACES))


@pytest.fixture
async def client(temporal_address: str) -> Client:
    return await Client.connect(temporal_address, data_converter=CONVERTER)
