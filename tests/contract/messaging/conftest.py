"""One simulator and one receiver of its webhooks for all of these tests; each has people of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from simulator.app import create_app
from simulator.config import SimulatorConfig
from tests.unit.messaging import wire
from tests.unit.messaging.simulated import Receiver, Simulator


@contextmanager
def serving(app: object) -> Iterator[str]:
    """The URL of an application that listens, in a thread."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with serving(made) as made.url:
        yield made


@pytest.fixture(scope="session")
def listening(receiver: Receiver) -> Iterator[Simulator]:
    config = SimulatorConfig(
        account_sid=wire.ACCOUNT,
        auth_token=wire.TOKEN,
        phone_number=wire.OURS,
        webhook_base=receiver.url,
        webhook_retries=0,
    )
    with serving(create_app(config)) as url:
        yield Simulator(url)


@pytest.fixture
def simulator(listening: Simulator) -> Iterator[Simulator]:
    yield listening
    listening.forget_faults()
