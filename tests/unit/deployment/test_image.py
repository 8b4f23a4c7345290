"""The image is built as hadolint wants it, and runs as a user that a cluster can check."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("no hadolint for this machine")
    said = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_it_runs_as_a_number_since_runasnonroot_cannot_look_up_a_name() -> None:
    [user] = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    [made] = re.findall(r"--uid (\d+)", DOCKERFILE)
    assert user == f"{made}:{made}"


def test_what_is_copied_is_let_in_and_env_files_are_not() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert "requirements.lock" in let_in
    assert not [name for name in let_in if name.startswith(".env")]
    assert [name for name in let_in if not (ROOT / name).exists()] == []
