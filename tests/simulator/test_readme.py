"""What simulator/README.md shows is run: every command, every program, against a simulator that it has started."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.simulator.harness import eventually
from tests.simulator.test_command import CLEAN, ROOT, started

README = (ROOT / "simulator" / "README.md").read_text()
BLOCKS = re.findall(r"```(sh|python|js)\n(.*?)```", README, re.DOTALL)
COMMANDS = [code for kind, code in BLOCKS if kind == "sh" and code.startswith("curl")]
NODE_MODULES = ROOT / "tests" / "node" / "node_modules"
# An answer that tells of a mistake fails the command.
CURL = 'curl() { command curl --silent --show-error --fail-with-body "$@"; }\n'


def block(start: str) -> str:
    (found,) = [code for _, code in BLOCKS if code.startswith(start)]
    return found


def program(name: str) -> str:
    (found,) = [code for _, code in BLOCKS if re.match(rf"(#|//) {re.escape(name)}\n", code)]
    return found


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the first command starts, on a free port."""
    command = block("python -m simulator").replace("--port 4010", "").split()
    assert command[:3] == ["python", "-m", "simulator"]
    data = tmp_path_factory.mktemp("data") / "simulator.jsonl"
    options = [str(data) if word == "simulator.jsonl" else word for word in command[3:]]
    with started(("simulator",), "--json", *options) as process:
        assert process.stdout
        yield json.loads(process.stdout.readline())["simulator"]


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")
def test_every_command_works_in_its_order(base: str, tmp_path: Path) -> None:
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        line = CURL + command.replace("http://127.0.0.1:4010", base)
        said = subprocess.run(
            ["bash", "-euc", line], check=False, capture_output=True, text=True, cwd=tmp_path, timeout=60, env=CLEAN
        )
        assert said.returncode == 0, f"{command}\n{said.stdout}{said.stderr}"


def test_the_sdk_for_python_is_pointed_at_it(base: str, tmp_path: Path) -> None:
    (tmp_path / "send.py").write_text(program("send.py").replace("http://127.0.0.1:4010", base))
    said = subprocess.check_output(
        [sys.executable, "-W", "error", "send.py"], text=True, cwd=tmp_path, env=CLEAN | {"PYTHONPATH": str(ROOT)}
    )
    assert re.fullmatch(r"SM\w{32} queued\n", said)
    eventually(lambda: "Hello from Python" in httpx.get(f"{base}/_sim/messages", trust_env=False).text)


def test_the_sdk_for_node_is_pointed_at_it(base: str, tmp_path: Path) -> None:
    if not (NODE_MODULES / "twilio").exists() or not shutil.which("node"):
        pytest.skip("the SDK for Node is not here: make node")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "send.mjs").write_text(program("send.mjs").replace("http://127.0.0.1:4010", base))
    said = subprocess.check_output(["node", "send.mjs"], text=True, cwd=tmp_path, env=CLEAN)
    assert re.fullmatch(r"SM\w{32} queued\n", said)
    eventually(lambda: "Hello from Node" in httpx.get(f"{base}/_sim/messages", trust_env=False).text)


def test_files_the_readme_links_to_are_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / "simulator" / link).exists()] == []
