"""The real Temporal development server, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.attributes import server_flags
from tests.support.ports import free_port

TEMPORAL = Path(sys.executable).with_name("temporal")


@contextmanager
def temporal_server(
    *, port: int | None = None, database: Path | None = None, options: tuple[str, ...] = ()
) -> Iterator[str]:
    """Its address. In memory unless given a database file. `options` are further ones of its command line."""
    port = port or free_port()
    command = [str(TEMPORAL), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--log-level", "error", *server_flags(), *options]
    # A history is deleted once it is noted that it was closed, which a server does every 30 s by default.
    for queue in ("transfer", "visibility"):
        command += ["--dynamic-config-value", f'history.{queue}ProcessorUpdateAckInterval="200ms"']
    if database:
        command += ["--db-filename", str(database), "--sqlite-pragma", "journal_mode=wal"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    probe = [str(TEMPORAL), "operator", "namespace", "describe", "default", "--address", f"127.0.0.1:{port}"]
    for _ in range(240):
        if process.poll() is not None:
            raise RuntimeError(f"the Temporal server ended with {process.returncode}")
        answer = subprocess.run(probe, capture_output=True, check=False)
        if answer.returncode == 0:
            return
        time.sleep(0.25)
    raise RuntimeError("the Temporal server did not start")
