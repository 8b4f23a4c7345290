"""docs/agents.md is true: its code runs, its settings, checks and commands are ours."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agents import guardrails
from agents.engine import AgentFailed
from agents.guardrails import Guardrails, load_moderator
from agents.loading import MAX_REPLY, load_agent
from agents.tools import MAX_ARGUMENT, MAX_CALLS, MAX_RESULT, OURS, ToolPolicy, load_tools
from agents.turn import KINDS, Learned, Turn
from cli.main import app
from messaging.model import Address
from runtime.identity import Identities, load_resolver
from runtime.settings import Settings, load

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "agents.md").read_text()
CODE: dict[str, str] = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", GUIDE, re.DOTALL))


@pytest.fixture(autouse=True)
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, source in CODE.items():
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield
    for name in CODE:
        sys.modules.pop(name, None)


def test_every_block_of_python_is_run_here() -> None:
    assert set(CODE) == {"shop", "careful", "shop_tools", "customers", "house_rules"}
    assert GUIDE.count("```python") == len(CODE)


async def test_the_agent_of_the_guide_answers() -> None:
    agent = load_agent("shop:reply")
    assert (await agent.reply(Turn(text="A HUMAN please"))).handoff == "asked for a human"
    draft = await agent.reply(Turn(text="I am Ana."))
    assert (draft.text, draft.facts) == ("Hello Ana!", (Learned(key="name", text="I am Ana."),))
    assert (await agent.reply(Turn(text="hours?"))).cost == 0.0001


async def test_the_careful_agent_fails_for_good() -> None:
    agent = load_agent("careful:reply")
    assert (await agent.reply(Turn(text="bell"))).text == "We have 3."
    with pytest.raises(AgentFailed) as failed:
        await agent.reply(Turn(text="boat"))
    assert not failed.value.retryable


async def test_the_tools_of_the_guide_are_for_this_person_only() -> None:
    status, hours = load_tools("shop_tools")
    policy = ToolPolicy(allowed=json.loads(re.findall(r"MESSAGING_TOOL_PLACES=(\{.*?\})`", GUIDE)[0]))
    ana = Turn(text="?", contact_id="contact-ana", channel="whatsapp")
    bob = Turn(text="?", contact_id="contact-bob", channel="whatsapp")
    assert await policy.call(status, ana, {"order": "A-17"}, earlier=0) == "on its way"
    assert await policy.call(status, bob, {"order": "A-17"}, earlier=0) == "there is no such order of yours"
    by_sms = Turn(text="?", channel="sms")
    assert (policy.allows(status.name, by_sms), policy.allows(hours.name, by_sms)) == (False, True)
    assert await policy.call(hours, by_sms, {"day": "Sunday"}, earlier=0) == "closed"
    assert (hours.rule.longest, status.rule.longest) == (40, MAX_ARGUMENT)


async def test_the_resolver_of_the_guide_makes_two_numbers_one_person() -> None:
    people = Identities(b"a key of the tests", load_resolver("customers:resolve"))
    ids = [await people.contact_id(Address.parse(f"+1555010000{n}")) for n in (1, 2, 3)]
    assert ids[0] == ids[1] != ids[2]


async def test_the_moderation_of_the_guide_looks_at_replies() -> None:
    guards = Guardrails(moderator=load_moderator("house_rules:moderate"))
    assert (await guards.look("You get a refund.", "out")).instead == guardrails.WITHHELD
    assert (await guards.look("I want a refund.", "in")).instead == ""


def test_every_setting_is_one_and_the_defaults_are_told_rightly(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in GUIDE.splitlines():
        # `MESSAGING_BUDGET_ANSWERS`, `_TOKENS`: a short form goes on from the long one before it.
        full = ""
        for name in re.findall(r"`?(MESSAGING_[A-Z_]+|(?<=`)_[A-Z_]+(?=`))", row):
            full = full.rsplit("_", name.count("_"))[0] + name if name.startswith("_") and full else name
            assert full.lower() in Settings.model_fields, (full, row)
    settings: Any = load()
    assert settings.messaging_agent_durability == "reply"
    assert settings.messaging_agent_cites is True
    assert settings.messaging_guardrails == set(guardrails.NAMES)


def test_the_numbers_are_those_of_the_code() -> None:
    flat = " ".join(GUIDE.split())
    assert f"1 to {MAX_REPLY:,} characters" in flat
    assert f"{MAX_ARGUMENT} by default; of a result the model sees {MAX_RESULT:,}" in flat
    assert MAX_CALLS == 5
    assert "at most five times" in flat
    assert all(f"`{name}`" in flat for name in (*OURS, *KINDS, *guardrails.NAMES))


def test_every_command_and_file_is_there() -> None:
    told = re.findall(r"^messaging (\w+) (\w+)", GUIDE, re.MULTILINE)
    assert {command for command, _ in told} == {"knowledge"}
    known = CliRunner().invoke(app, ["knowledge", "--help"]).output
    assert all(name in known for _, name in told)
    assert all((ROOT / "docs" / link).exists() for link in re.findall(r"\]\((\w[\w.-]*\.md)\)", GUIDE))
    anchors = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", GUIDE)) <= anchors
