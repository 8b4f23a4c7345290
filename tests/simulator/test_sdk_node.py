"""The genuine SDK for Node, unchanged but for where it sends, drives every resource; each call is counted."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.simulator import census
from tests.simulator.harness import simulator
from tests.simulator.resources import RESOURCES

NODE = Path(__file__).parent.parent / "node"


def test_the_sdk_for_node_drives_every_resource() -> None:
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules" / "twilio").exists():
        pytest.skip("the SDK for Node is not there: `make node` installs it")
    with simulator() as sim:
        command = [node, "drive.mjs", sim.base, sim.config.account_sid, sim.config.auth_token]
        run = subprocess.run(command, cwd=NODE, capture_output=True, text=True, timeout=240, check=False)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    for line in lines:
        census.add("node", line["resource"], line["calls"])
    failures = [f"{line['resource']}: {failure}" for line in lines for failure in line["failures"]]
    assert not failures, "\n".join(failures)
    assert (run.returncode, run.stderr) == (0, "")
    assert {line["resource"] for line in lines} == set(RESOURCES)
