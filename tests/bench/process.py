"""The processes of a run. Each has a log in the run's folder, dies with the driver and is stopped at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from cli.processes import Service

ROOT = Path(__file__).resolve().parents[2]

# What would change what is measured, or point it at somebody's real account.
OTHERS = ("TWILIO_", "MESSAGING_", "TEMPORAL_", "QDRANT_", "OTEL_", "PUBLIC_URL")


@asynccontextmanager
async def running(
    name: str,
    *arguments: str,
    folder: Path,
    ready: Callable[[], Awaitable[bool]],
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[int]:
    """The id of `python -m` with these arguments, ready.

    Raises:
        cli.processes.ServiceFailed: it ended first; holds the end of its log.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(OTHERS)}
    service = Service(
        name=name,
        command=[sys.executable, "-m", *arguments],
        environment={**inherited, "PYTHONPATH": str(ROOT), **(environment or {})},
        log=folder / f"{name}.log",
        ready=ready,
    )
    await service.start()
    try:
        await service.wait_until_ready()
        yield service.pid
    finally:
        await service.stop()
