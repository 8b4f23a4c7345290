"""What our documents name between the lines: commands, make targets, calls and settings in running text are ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from api.app import create_app
from cli.main import app
from runtime.settings import Settings
from tests.support.documents import DOCUMENTS, ROOT

OPENAPI: dict[str, Any] = create_app(Settings(_env_file=None)).openapi()
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
VARIABLES = set(re.findall(r"^#([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
# How tests and tools are told something; no settings.
ASIDE = {"MESSAGING_INTERLEAVINGS", "QDRANT_OUTAGE_SECONDS"}
# What a change was, is told in the words of its day.
TOLD = [path for path in DOCUMENTS if path.name != "CHANGELOG.md"]


def prose(path: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)


def spans(path: Path, start: str) -> list[str]:
    """Code in running text that begins so, without that beginning."""
    return re.findall(rf"`(?:\.venv/bin/)?{start} ([^`]+)`", prose(path))


def by_name(documents: list[Path]) -> Any:
    return pytest.mark.parametrize("path", documents, ids=lambda path: path.relative_to(ROOT).as_posix())


@by_name([path for path in TOLD if spans(path, "messaging")])
def test_every_command_in_the_text_is_one(path: Path) -> None:
    for said in spans(path, "messaging"):
        command: Any = typer.main.get_command(app)
        for word in said.replace("…", "").split():
            if word == "COMMAND":  # any of them
                break
            if word.startswith("--"):
                known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
                assert word.partition("=")[0] in known | {"--help"}, said
            elif hasattr(command, "commands"):
                assert word in command.commands, said
                command = command.commands[word]


@by_name([path for path in TOLD if spans(path, "make")])
def test_every_make_target_in_the_text_is_one(path: Path) -> None:
    for said in spans(path, "make"):
        assert {word for word in said.split() if re.fullmatch(r"[a-z-]+", word)} <= TARGETS, said


@by_name([path for path in TOLD if re.search(r"`(?:GET|POST|PUT|DELETE) /", prose(path))])
def test_every_call_in_the_text_is_served(path: Path) -> None:
    served = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", template))
        for template, methods in OPENAPI["paths"].items()
        for method in methods
    }
    for method, called in re.findall(r"`(GET|POST|PUT|DELETE) (/[^`\s?]*)", prose(path)):
        if "…" not in called:
            assert (method, re.sub(r"\{\w+\}|ID\b", "{}", called)) in served, called


@by_name(TOLD)
def test_every_setting_in_the_text_is_one(path: Path) -> None:
    named = set(re.findall(r"\b(?:MESSAGING|TWILIO|QDRANT)_[A-Z_]+[A-Z]\b", path.read_text()))
    assert named - VARIABLES - ASIDE == set()
