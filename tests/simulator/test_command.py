"""`python -m simulator` and `messaging simulator`, as processes: what they say, take, refuse, and how they end."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.simulator.harness import PATIENCE, THEIRS, eventually

ROOT = Path(__file__).parents[2]
MODULE, NAME = ("simulator",), ("cli", "simulator")
SIMULATOR = {"module": MODULE, "messaging simulator": NAME}
either = pytest.mark.parametrize("command", SIMULATOR.values(), ids=SIMULATOR)
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "MESSAGING_"))}


def run(command: tuple[str, ...], *options: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", *command, *options]
    return subprocess.run(line, check=False, capture_output=True, text=True, env=CLEAN, cwd=ROOT, timeout=60)


@contextmanager
def started(command: tuple[str, ...], *options: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, "-m", *command, "--port", "0", *options]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN | variables, cwd=ROOT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


@either
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_it_says_where_it_is_and_ends_cleanly(command: tuple[str, ...], number: signal.Signals) -> None:
    with started(command, "--json") as process:
        told = ready(process)
        health = httpx.get(f"{told['simulator']}/_sim/health", trust_env=False).json()
        assert {
            name: health[name] for name in ("account_sid", "phone_number", "whatsapp_number")
        }.items() <= told.items()
        assert "<title>Phones</title>" in httpx.get(told["phone"], trust_env=False).text
        assert told["pid"] == process.pid
        with httpx.stream("GET", f"{told['simulator']}/_sim/events", trust_env=False) as listening:
            lines = listening.iter_lines()  # held, or the stream would end with it
            next(lines)
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
        assert process.stderr
        assert process.stderr.read() == ""
    with socket.create_server(("127.0.0.1", httpx.URL(told["simulator"]).port or 0)):
        pass


@either
def test_it_tells_a_person_what_to_open(command: tuple[str, ...]) -> None:
    with started(command, "--webhook-base", "http://127.0.0.1:9", "--auth-token", "chosen") as process:
        assert process.stdout
        lines: list[str] = []
        while not lines or not lines[-1].strip().startswith("Data"):
            lines.append(process.stdout.readline())
        told = dict(line.split(maxsplit=1) for line in lines if line.startswith("  "))
        assert httpx.get(told["Phones"].strip(), trust_env=False).is_success
        assert httpx.get(told["Control"].strip() + "/health", trust_env=False).is_success
        assert told["Webhooks"].strip() == "http://127.0.0.1:9/webhooks/twilio/messages"
        assert "chosen" not in "".join(lines)


@either
def test_help_reads_the_same_and_names_every_option(command: tuple[str, ...]) -> None:
    shown = run(command, "--help")
    assert shown.returncode == 0
    assert shown.stdout == run(MODULE, "--help").stdout.replace("python -m simulator", prog(command))
    readme = (ROOT / "simulator" / "README.md").read_text()
    options = {word.strip(",") for word in shown.stdout.split() if word.startswith("--")} - {"--help"}
    assert {option for option in options if f"`{option}" not in readme} == set()


def prog(command: tuple[str, ...]) -> str:
    return "messaging simulator" if command == NAME else "python -m simulator"


@either
@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--port", "70000"), "--port: '70000'"),
        (("--port", "taken"), "--port"),
        (("--host", "203.0.113.1"), "--host, --port: 203.0.113.1:4010"),
        (("--host", "0.0.0.0", "--port", "0"), "--host: other machines would read and text without a key"),
        (("--webhook-base", "nowhere"), "--webhook-base: an http or https URL expected"),
        (("--account-sid", "AC1"), "--account-sid: AC and 32 hexadecimal digits expected"),
        (("--link", "x"), "--link: two parts joined by '=' expected"),
        (("--throughput", "sms=fast"), "--throughput: sms: a number expected"),
        (("--throughput", "fax=1"), "--throughput: fax: one of sms, whatsapp, rcs, messenger expected"),
        (("--throughput", "sms=-1"), "--throughput: sms: more than 0"),
        (("--retry-5xx", "-1"), "--retry-5xx: 0 to 5 expected"),
        (("--retry-5xx", "6"), "--retry-5xx: 0 to 5 expected"),
        (("--test-account-sid", "AC1"), "--test-account-sid: AC and 32 hexadecimal digits expected"),
        (("--data", "/dev/null/x"), "--data: /dev/null/x: "),
        (("--data", __file__), "is not a file of the simulator"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_option(
    command: tuple[str, ...], options: tuple[str, ...], named: str
) -> None:
    said = run(command, *options)
    assert said.returncode == 2
    assert (said.stdout, said.stderr.count("\n")) == ("", 1)
    assert said.stderr.startswith(prog(command) + ": ")
    assert named in said.stderr
    assert not Path(f"{__file__}.lock").exists()


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = run(MODULE, "--port", str(port))
    assert (said.returncode, said.stderr) == (
        2,
        f"python -m simulator: --host, --port: 127.0.0.1:{port}: address already in use\n",
    )


def test_who_opens_it_to_others_is_told() -> None:
    with started(MODULE, "--host", "0.0.0.0", "--open", "--port", "0") as process:
        assert process.stdout
        assert any("neither page nor control ask" in process.stdout.readline() for _ in range(12))


@either
def test_data_survives_a_restart(command: tuple[str, ...], tmp_path: Path) -> None:
    options = ("--json", "--data", str(tmp_path / "new folder" / "sim.jsonl"))
    with started(command, *options) as process:
        base = ready(process)["simulator"]
        httpx.post(f"{base}/_sim/inbound", json={"from": THEIRS, "body": "Hi"}, trust_env=False)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    with started(command, *options) as process:
        base = ready(process)["simulator"]
        kept = eventually(lambda: httpx.get(f"{base}/_sim/messages", trust_env=False).json()["messages"])
        assert [message["body"] for message in kept] == ["Hi"]


def test_options_win_over_the_environment() -> None:
    variables = {"TWILIO_PHONE_NUMBER": "+15550100007", "TWILIO_WHATSAPP_NUMBER": "+15550100008"}
    with started(MODULE, "--json", "--phone-number", "+15550100009", **variables) as process:
        told = ready(process)
        assert (told["phone_number"], told["whatsapp_number"]) == ("+15550100009", "+15550100008")
