"""The command as a whole: what it costs to start, how it ends, what it completes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli import main
from cli.endings import Away, Ending
from messaging.errors import NetworkError

MESSAGING = Path(sys.executable).with_name("messaging")
# What takes a tenth of a second or more to import.
HEAVY = {"aiohttp", "fastapi", "httpx", "opentelemetry", "pydantic", "qdrant_client", "temporalio", "twilio", "uvicorn"}


def test_looking_at_the_help_imports_nothing_heavy() -> None:
    program = "import cli.main, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert HEAVY.isdisjoint(loaded.stdout.split())


@pytest.mark.parametrize(
    ("error", "ending", "said"),
    [
        (ValueError("--state: must be held"), Ending.FAILED, "--state: must be held"),
        (FileNotFoundError(2, "No such file", "x.json"), Ending.FAILED, "[Errno 2] No such file: 'x.json'"),
        (NetworkError("refused", op="start", provider="twilio"), Ending.FAILED, "refused"),
        (Away("Temporal does not answer"), Ending.AWAY, "Temporal does not answer"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    error: Exception,
    ending: Ending,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _end(monkeypatch, error) == ending

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("messaging: ")
    assert said in shown.err
    assert len(shown.err.splitlines()) == 1


def test_a_defect_says_where_it_is_and_nothing_of_what_it_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MESSAGING_LOG_LEVEL", raising=False)
    assert _end(monkeypatch, KeyError("+15550100001")) == Ending.BUG

    shown = capsys.readouterr().err
    assert "unexpected KeyError at test_main.py:" in shown
    assert "0100001" not in shown


@pytest.mark.parametrize(
    ("command", "environment", "ending", "said"),
    [
        ("version", {}, Ending.DONE, ""),
        ("--version", {}, Ending.DONE, ""),
        ("nonsense", {}, Ending.USAGE, "No such command"),
        ("conversations list --limit 0", {}, Ending.USAGE, "--limit"),
        ("conversations list --state odd", {}, Ending.USAGE, "--state"),
        ("api", {"MESSAGING_API_PORT": "x"}, Ending.USAGE, "MESSAGING_API_PORT"),
        ("conversations list", {"TEMPORAL_ADDRESS": "127.0.0.1:1"}, Ending.AWAY, "TEMPORAL_ADDRESS"),
        ("chat --simulator http://127.0.0.1:1", {}, Ending.AWAY, "is it running?"),
    ],
)
def test_real_commands_end_as_documented(
    command: str,
    environment: dict[str, str],
    ending: Ending,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["messaging", *command.split()])
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    with pytest.raises(SystemExit) as ended:
        main.main()

    assert (ended.value.code or 0) == ending
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "offered"),
    [("messaging con", {"conversations", "contacts"}), ("messaging conversations ta", {"tail", "takeover"})],
)
def test_a_shell_completes_commands(words: str, offered: set[str]) -> None:
    asked = {
        "_MESSAGING_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }

    told = subprocess.run([MESSAGING], env=os.environ | asked, capture_output=True, text=True, timeout=60, check=True)

    assert set(told.stdout.split()) == offered


def _end(monkeypatch: pytest.MonkeyPatch, error: Exception) -> object:
    def fails() -> None:
        raise error

    monkeypatch.setattr(main, "app", fails)
    with pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code
