"""What the README shows is true: its agent answers, its files exist, its settings and commands are ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.loading import load_agent
from agents.turn import Turn, Utterance
from cli.main import app
from runtime.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


async def test_the_agent_of_the_readme_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [source] = [code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "async def reply" in code]
    (tmp_path / "shop.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    agent = load_agent("shop:reply")

    assert (await agent.reply(Turn(text="How much is the LOCK?"))).text == "A lock is 45 euros."
    assert (await agent.reply(Turn(text="hi"))).text.startswith("Hello!")
    known = Turn(text="a boat?", history=(Utterance(role="contact", text="hi"),))
    assert "do not sell" in (await agent.reply(known)).text
    assert len([line for line in source.splitlines() if line.strip()]) <= 15


def test_every_file_the_readme_links_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_setting_the_readme_names_is_one() -> None:
    named = set(re.findall(r"\b(?:MESSAGING|TWILIO|QDRANT)_[A-Z_]+\b", README)) | {"PUBLIC_URL"}

    assert {name for name in named if name.lower() not in Settings.model_fields} == set()


def test_every_command_the_readme_names_is_one() -> None:
    named = set(re.findall(r"`(?:\.venv/bin/)?messaging ([a-z]+)", README))
    known = CliRunner().invoke(app, ["--help"]).output

    assert named
    assert {name for name in named if name not in known} == set()


def test_every_make_target_the_readme_names_is_one() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE)) <= targets
