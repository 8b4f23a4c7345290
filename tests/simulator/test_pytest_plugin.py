"""The pytest fixture, in test runs of other people's: the worked example, its scope, and that others pay nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from simulator.config import SimulatorConfig
from simulator.running import Refused, RunningSimulator, running
from tests.simulator.test_command import CLEAN
from tests.simulator.test_readme import block, program

# These come with our development tools and have warnings of their own; other people's runs need not have them.
ALONE = ("-p", "no:asyncio", "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:timeout")


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A run in which every warning is an error; our fixture is found by its entry point."""
    line = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *ALONE, *options]
    return subprocess.run(line, check=False, capture_output=True, text=True, cwd=folder, env=CLEAN, timeout=120)


def test_the_worked_example_passes(tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text(program("test_shop.py"))
    command = block("python -m pytest").split()
    said = run(tmp_path, *command[3:])
    assert said.returncode == 0, said.stdout + said.stderr
    assert "3 passed" in said.stdout


SCOPED = """
seen = []

def test_one(twilio_simulator):
    seen.append(twilio_simulator.base_url)

def test_two(twilio_simulator):
    seen.append(twilio_simulator.base_url)
    assert len(set(seen)) == {count}
"""


@pytest.mark.parametrize(
    ("ini", "options", "count"),
    [
        ("", (), 2),
        ("", ("--twilio-simulator-scope=session",), 1),
        ("twilio_simulator_scope = module", (), 1),
        ("twilio_simulator_scope = module", ("--twilio-simulator-scope=function",), 2),
    ],
)
def test_its_scope_can_be_chosen(tmp_path: Path, ini: str, options: tuple[str, ...], count: int) -> None:
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    (tmp_path / "test_scope.py").write_text(SCOPED.format(count=count))
    said = run(tmp_path, *options)
    assert "2 passed" in said.stdout, said.stdout + said.stderr


def test_a_wrong_scope_is_told(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ntwilio_simulator_scope = forever\n")
    (tmp_path / "test_scope.py").write_text(SCOPED.format(count=1))
    said = run(tmp_path)
    assert "twilio_simulator_scope: one of session" in said.stdout + said.stderr


def test_its_options_can_be_changed(tmp_path: Path) -> None:
    (tmp_path / "test_options.py").write_text("""
import pytest

@pytest.fixture
def twilio_simulator_options():
    return {"account_sid": "AC" + "1" * 32}

def test_options(twilio_simulator):
    assert twilio_simulator.client().api.v2010.accounts("AC" + "1" * 32).fetch().status == "active"
""")
    said = run(tmp_path)
    assert "1 passed" in said.stdout, said.stdout + said.stderr


def test_a_run_that_does_not_use_it_imports_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("""
import sys

def test_nothing_is_imported():
    ours = {name for name in sys.modules if name.partition(".")[0] == "simulator"}
    assert ours == {"simulator", "simulator.pytest_plugin"}
    assert not {"fastapi", "twilio", "uvicorn", "httpx"} & sys.modules.keys()
""")
    said = run(tmp_path)
    assert "1 passed" in said.stdout, said.stdout + said.stderr


@pytest.fixture(scope="module")
def simulator():
    with running() as found:
        yield found


def test_what_is_wrong_is_said_where_it_is(simulator: RunningSimulator) -> None:
    with pytest.raises(Refused, match="kind: "):
        simulator.fault("none")
    with pytest.raises(Refused, match="advance: "):
        simulator.advance("soon")
    with pytest.raises(TimeoutError, match=r"within 0\.01 s; last seen: \[\]"):
        simulator.wait_for(list, within=0.01)


def test_the_clock_stands_still_while_it_is_told_to(simulator: RunningSimulator) -> None:
    assert simulator.pause()["paused"]
    before = simulator.advance(60)["now"]
    assert simulator.advance(0)["now"] == before
    assert not simulator.resume()["paused"]
    simulator.reset()


def test_everything_is_in_the_transcript(simulator: RunningSimulator) -> None:
    simulator.reset()
    last = simulator.transcript()[-1]["id"]
    sent = simulator.inbound("Hello\u2028there")
    assert [(r["kind"], r["body"]) for r in simulator.transcript(after=last) if r["kind"] == "inbound"] == [
        ("inbound", "Hello\u2028there")
    ]
    assert simulator.messages()[0]["sid"] == sent["sid"]
    assert SimulatorConfig().phone_number == simulator.phone_number
