"""`messaging qdrant`: starts on a free port, says where it is, and ends when it is told to."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import AsyncQdrantClient

from memory.embedders.hashing import HashingEmbedder
from memory.item import MemoryItem
from memory.qdrant import QdrantStore

ROOT = Path(__file__).parents[3]


def command(path: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "cli", "qdrant", "--path", str(path), *options]


def started(path: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    process = subprocess.Popen(
        command(path, "--port", "0", "--json"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_is_keeps_what_it_took_and_ends_cleanly(
    tmp_path: Path, number: signal.Signals, make_item: Callable[..., MemoryItem]
) -> None:
    for opening in range(2):
        process, ready = started(tmp_path)
        assert (ready["path"], ready["pid"]) == (str(tmp_path), process.pid)
        store = QdrantStore(
            AsyncQdrantClient(url=ready["qdrant"], check_compatibility=False), HashingEmbedder(), timeout=30
        )
        await store.remember([make_item(f"note {opening}")])
        assert len(await store.all_of("ana")) == opening + 1
        await store.close()

        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
        assert (process.returncode, output, errors) == (0, b"", b"")


def test_a_busy_port_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        ended = subprocess.run(
            command(tmp_path, "--port", port), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode == 1
    assert port in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_it_lets_no_other_machine_in_unless_told_to(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "memory.embedded", "--path", str(tmp_path), "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, "--open lets them in" in done.stderr) == (2, True)
