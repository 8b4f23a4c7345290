"""What MESSAGING_FLOW may name, and what it is told otherwise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from runtime import flows
from runtime.settings import SettingsError, load
from runtime.temporal import check_sandbox
from workflows import catalogue

HEAD = """
from temporalio import workflow
from agents.turn import Draft
from workflows.flow import Flow, Step
from workflows.steps import screen, deliver
from workflows.tool import ToolCall, tool

async def write(turn):
    return Draft(text="hello")
"""
GOOD = HEAD + 'FLOW = Flow("mine", (Step(name="screen", run=screen), Step(name="reply", run=write, after=("screen",))))'

WRONG = {
    "no module": ("", "no_such_module:FLOW", "no_such_module"),
    "no name": (GOOD, "{}:OTHER", "OTHER"),
    "no flow": (GOOD, "{}:write", "must be a Flow"),
    "a cycle": (HEAD + 'FLOW = Flow("mine", (Step(name="a", run=write, after=("a",)),))', "{}:FLOW", "cycle"),
    "no screen": (HEAD + 'FLOW = Flow("mine", (Step(name="a", run=write),))', "{}:FLOW", "screen"),
    "something beside screen": (
        HEAD + 'FLOW = Flow("mine", (Step(name="screen", run=screen), Step(name="a", run=write)))',
        "{}:FLOW",
        "screen",
    ),
    "an unguarded send": (
        HEAD + 'FLOW = Flow("m", (Step(name="screen", run=screen), Step(name="d", run=deliver, after=("screen",))))',
        "{}:FLOW",
        "guarded",
    ),
    "a word on the way that is not guarded": (
        HEAD
        + "from workflows.saying import Say\n"
        + 'FLOW = Flow("m", (Step(name="screen", run=screen), Step(name="s", run=Say(words=str), after=("screen",))))',
        "{}:FLOW",
        "guarded",
    ),
    "an activity without its call": (
        HEAD
        + "from workflows.steps import recall\n"
        + 'FLOW = Flow("m", (Step(name="screen", run=screen), Step(name="r", run=recall, after=("screen",))))',
        "{}:FLOW",
        "call=",
    ),
    "the default's name": (HEAD + 'FLOW = Flow("default", (Step(name="screen", run=screen),))', "{}:FLOW", "default@1"),
    "twice the same": (GOOD + "\nBOTH = (FLOW, FLOW)", "{}:BOTH", "one name"),
    "a tool of our name": (
        HEAD
        + "@tool()\nasync def deliver(call: ToolCall[str]) -> str: ...\n"
        + 'FLOW = Flow("mine", (Step(name="screen", run=screen),), tools=(deliver,))',
        "{}:FLOW",
        "deliver",
    ),
    "a tool without types": (HEAD + "@tool()\nasync def look(call): ...\n", "{}:FLOW", "look"),
}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> tuple[Path, str]:
    name = f"flow_{abs(hash(request.node.name))}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / f"{name}.py", name


@pytest.mark.parametrize("case", WRONG)
def test_a_flow_that_cannot_be_used_is_refused_and_named(case: str, module: tuple[Path, str]) -> None:
    source, path, named = WRONG[case]
    module[0].write_text(source)
    path = path.format(module[1])
    with pytest.raises(SettingsError) as refused:
        flows.load(path)
    assert f"MESSAGING_FLOW={path!r}" in str(refused.value)
    assert named in str(refused.value)


def test_the_default_flow_is_used_where_none_is_named() -> None:
    assert [flow.ref for flow in flows.install(load())] == ["default@1"]


def test_the_first_of_several_is_used_and_the_default_stays(module: tuple[Path, str]) -> None:
    later = 'OLD = FLOW\nFLOWS = (Flow("mine", FLOW.steps, version=2), OLD)'
    module[0].write_text(f"{GOOD}\n{later}")
    found = flows.install(load(messaging_flow=f"{module[1]}:FLOWS"))
    assert [flow.ref for flow in found] == ["mine@2", "mine@1", "default@1"]


def test_the_command_draws_and_checks_a_flow(module: tuple[Path, str]) -> None:
    module[0].write_text(GOOD)
    drawn = CliRunner().invoke(app, ["flow", "draw", f"{module[1]}:FLOW"])
    assert (drawn.exit_code, drawn.output.splitlines()[-1]) == (0, "  screen --> reply")
    checked = CliRunner().invoke(app, ["flow", "check", f"{module[1]}:FLOW"])
    assert (checked.exit_code, checked.output) == (0, "mine@1: 2 steps, tools: none\n")


def test_the_command_says_what_the_sandbox_refuses(module: tuple[Path, str]) -> None:
    module[0].write_text(GOOD + "\nimport urllib.request\nclass Mine(urllib.request.Request): ...")
    checked = CliRunner().invoke(app, ["flow", "check", f"{module[1]}:FLOW"])
    assert isinstance(checked.exception, ValueError)
    assert "sandbox" in str(checked.exception)


async def test_the_flow_of_the_guide_can_be_used_and_is_drawn(module: tuple[Path, str]) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "flows.md").read_text()
    [source] = re.findall(r"```python\n(# shop.py\n.*?)```", guide, re.DOTALL)
    module[0].write_text(source)
    [flow] = flows.load(f"{module[1]}:FLOW")
    catalogue.install((flow,), f"{module[1]}:FLOW")
    await check_sandbox()
    assert (flow.ref, list(flow.all_tools())) == ("orders@1", ["look_up"])
