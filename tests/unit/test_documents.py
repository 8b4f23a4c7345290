"""What our documents show is so: Python that loads, commands that the programs know, calls that the API serves."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import pytest
import typer
import yaml
from typer.testing import CliRunner

from agents.loading import load_agent
from agents.turn import Turn
from api.app import create_app
from cli.main import app
from runtime.settings import Settings
from tests.support.documents import DOCUMENTS, ROOT, SHELLS, Block, Command, commands, every

OPENAPI: dict[str, Any] = create_app(Settings(_env_file=None)).openapi()
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
# What stands for a number; what stands for a word (ID, NAME) is one.
NUMBERS = {"TURN": "1"}
# Looking only: these run. What starts, sends or asks Temporal is checked against the program that would do it.
RUNS = {("providers",), ("version",), ("flow", "draw"), ("flow", "check")}


def messaging(command: Command) -> None:
    words = [NUMBERS.get(word, word) for word in command.words[1:]]
    context: Any = typer.main.get_command(app).make_context("messaging", words)
    path: list[str] = []
    while hasattr(context.command, "resolve_command") and (rest := [*context._protected_args, *context.args]):
        name, found, rest = context.command.resolve_command(context, rest)
        context = found.make_context(name, rest, parent=context)
        path.append(name)
    assert path or "--help" in command.words, command
    if tuple(path) in RUNS and "PYTHONPATH" in command.environment:
        run = subprocess.run(
            [sys.executable, "-m", "cli", *command.words[1:]],
            env={"PYTHONPATH": f"{command.environment['PYTHONPATH']}:{ROOT}"},
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
    elif path[0] in {"providers", "version"}:
        assert CliRunner().invoke(app, path).exit_code == 0


def make(command: Command) -> None:
    words = [word for word in command.words[1:] if "=" not in word]
    assert words
    assert set(words) <= TARGETS, command
    for word in command.words[1:]:
        if word.startswith("NAME="):
            assert (ROOT / "examples" / word.removeprefix("NAME=")).is_dir(), command


def curl(command: Command) -> None:
    """The path, the query and the JSON of a call are what the API's own OpenAPI document allows."""
    words, data, method, address = list(command.words[1:]), None, "", ""
    while words:
        word = words.pop(0)
        if word in {"-d", "--data", "--json"}:
            data = words.pop(0)
        elif word in {"-X", "--request"}:
            method = words.pop(0)
        elif word in {"-H", "--header", "-u", "--user"}:
            words.pop(0)
        elif not word.startswith("-"):
            address = word
    url = urlsplit(address)
    method = (method or ("POST" if data else "GET")).lower()
    call = _served(url.path, method)
    names = {parameter["name"] for parameter in call.get("parameters", ()) if parameter["in"] == "query"}
    assert set(parse_qs(url.query)) <= names, command
    if data is not None:
        schema = call["requestBody"]["content"]["application/json"]["schema"]
        jsonschema_rs.validate({**schema, "components": OPENAPI["components"]}, json.loads(data))


def _served(path: str, method: str) -> Any:
    for template, methods in OPENAPI["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method in methods:
            return methods[method]
    raise AssertionError(f"nothing serves {method.upper()} {path}")


def temporal(command: Command) -> None:
    """With --help the program reads all flags and does nothing; one that it does not have ends it."""
    path = list(takewhile(lambda word: not word.startswith("-"), command.words[1:]))
    program = Path(sys.executable).with_name("temporal")
    said = subprocess.run([program, *command.words[1:], "--help"], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert f"temporal {' '.join(path)} [flags]" in said.stdout, command


def cp(command: Command) -> None:
    assert (command.where / command.words[1]).exists(), command


def cd(command: Command) -> None:
    assert command.where.is_dir(), command


def python(command: Command) -> None:
    if command.words[1] == "-m":
        assert importlib.util.find_spec(command.words[2]) is not None, command
    else:
        assert (command.where / command.words[1]).is_file(), command


def kubectl(command: Command) -> None:
    for word in command.words:
        if word.startswith("deploy/"):
            assert (ROOT / word).exists(), command


def known(command: Command) -> None:
    """Somebody else's, and used as it is everywhere."""


PROGRAMS: dict[str, Callable[[Command], None]] = {
    "messaging": messaging, "make": make, "curl": curl, "temporal": temporal, "cp": cp, "cd": cd, "python": python,
    "kubectl": kubectl,
    **dict.fromkeys(["pip", "pytest", "export", "ngrok", "cloudflared", "openssl", "docker", "git"], known),
}  # fmt: skip


def test_there_is_something_to_check() -> None:
    assert len(DOCUMENTS) > 30
    assert len(every(*SHELLS)) > 15


@pytest.mark.parametrize("block", every(*SHELLS), ids=str)
def test_every_command_is_one_that_its_program_takes(block: Block) -> None:
    for command in commands(block):
        for name in command.environment:
            if name.startswith(("MESSAGING_", "TWILIO_", "QDRANT_")):
                assert name.lower() in Settings.model_fields, command
        if command.words:
            assert command.program in PROGRAMS, f"nobody checks {command.program}"
            PROGRAMS[command.program](command)


@pytest.mark.parametrize("block", every("python"), ids=str)
def test_every_python_reads_and_imports_what_there_is(block: Block) -> None:
    for node in ast.walk(ast.parse(textwrap.dedent(block.text))):
        ours = isinstance(node, ast.ImportFrom) and node.module and (ROOT / node.module.partition(".")[0]).is_dir()
        if isinstance(node, ast.ImportFrom) and ours:
            module = importlib.import_module(node.module or "")
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("block", [block for block in every("python") if "async def reply(" in block.text], ids=str)
async def test_every_agent_answers(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{_named(block)}_of_a_document.py").write_text(block.text)
    monkeypatch.syspath_prepend(tmp_path)
    agent = load_agent(f"{_named(block)}_of_a_document:reply")
    assert (await agent.reply(Turn(text="bell"))).text


@pytest.mark.parametrize("block", [block for block in every("python") if "FLOW = Flow(" in block.text], ids=str)
def test_every_flow_is_one_that_a_worker_takes(block: Block, tmp_path: Path) -> None:
    (tmp_path / f"{_named(block)}.py").write_text(block.text)
    checked = subprocess.run(
        [sys.executable, "-m", "cli", "flow", "check", f"{_named(block)}:FLOW"],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def _named(block: Block) -> str:
    [name] = re.findall(r"\A# (\w+)\.py\n", block.text)
    return name


@pytest.mark.parametrize("block", every("json", "toml", "yaml", "ini"), ids=str)
def test_every_file_of_settings_reads(block: Block) -> None:
    readers: dict[str, Callable[[str], Any]] = {"json": json.loads, "toml": tomllib.loads, "yaml": _yaml, "ini": _ini}
    assert readers[block.language](block.text)


def _yaml(text: str) -> list[Any]:
    return list(yaml.safe_load_all(text))


def _ini(text: str) -> dict[str, str]:
    """Lines of a .env: names that are settings."""
    found = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    example = (ROOT / ".env.example").read_text()
    assert [name for name in found if f"\n#{name}=" not in example] == []
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_is_linked_to_is_there(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\((?!\w+:)([^)#\s]+)[^)\s]*\)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
