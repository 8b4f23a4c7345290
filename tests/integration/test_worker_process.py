"""A worker's process as what runs it sees it: it can be asked how it is, and told to go, while Temporal is away too."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx

from tests.support.ports import eventually, free_port

ROOT = Path(__file__).parents[2]


async def test_a_worker_that_waits_for_temporal_is_alive_and_goes_when_told(tmp_path: Path) -> None:
    port = free_port()
    nowhere = f"127.0.0.1:{free_port()}"
    environment = {
        "PATH": os.environ["PATH"],
        "MESSAGING_ID_KEY": "0123456789abcdef0123456789abcdef",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "made-up",
        "TEMPORAL_ADDRESS": nowhere,
        "QDRANT_URL": f"http://{nowhere}",
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
    }
    worker = await asyncio.create_subprocess_exec(
        sys.executable, ROOT / "worker.py", cwd=tmp_path, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert worker.stderr is not None
    try:
        while b"waiting for Temporal" not in (line := await worker.stderr.readline()):
            assert line, "it has ended"

        async def answers() -> bool:
            async with httpx.AsyncClient() as http:
                return (await http.get(f"http://localhost:{port}/metrics")).status_code == 200

        assert await eventually(answers)
        worker.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(worker.communicate(), timeout=20)
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    assert worker.returncode == 0
    assert b"Traceback" not in said
