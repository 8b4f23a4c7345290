"""A user's plain functions as tools: what is refused at start, and what the policy lets through."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.tools import MAX_RESULT, ToolPolicy, ToolRefused, described, load_tools, tool
from agents.turn import Turn

SOURCE = '''
from agents.tools import tool
from agents.turn import Turn

@tool
def price(thing: str) -> str:
    """The price of a thing."""
    return f"{thing}: 12"

@tool(longest=10)
async def note(text: str, turn: Turn) -> str:
    """Keep a note."""
    return f"{turn.channel}: {text}"

def helper(x):
    return x

def bare(x: int) -> int:
    return x

def untyped(x) -> int:
    """Has no types."""

def many(*x: int) -> int:
    """Takes any number."""

def odd(x: "NoSuchType") -> int:
    """Has a type that is not there."""

def again(x: int) -> int:
    """A tool."""

TOOLS = [price, note]
TWICE = [again, again]
NONE = []
TEXT = "price"
'''


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "my_tools.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "no_tools.py").write_text("x = 1", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(tmp_path)])
    yield
    for name in ("my_tools", "no_tools"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("my_tools", ["price", "note"]),
        ("my_tools:TOOLS", ["price", "note"]),
        ("my_tools:again", ["again"]),
    ],
)
def test_a_module_a_list_or_a_function_names_tools(path: str, names: list[str]) -> None:
    assert [found.name for found in load_tools(path)] == names


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", "must look like 'module' or 'module:name'"),
        ("no_such_module", "there is no module"),
        ("no_tools", "names no tool"),
        ("my_tools:NONE", "names no tool"),
        ("my_tools:nothing", "has no 'nothing'"),
        ("my_tools:bare", "bare has no docstring"),
        ("my_tools:untyped", "the parameter 'x' of untyped has no type"),
        ("my_tools:many", "many takes *x: int"),
        ("my_tools:odd", "the types of odd cannot be read"),
        ("my_tools:TWICE", "two tools are named again"),
        ("my_tools:TEXT", "str is no function"),
    ],
)
def test_what_is_no_tool_is_refused_at_start_and_names_the_setting(path: str, says: str) -> None:
    with pytest.raises(ValueError, match="MESSAGING_TOOLS") as caught:
        load_tools(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def whoami(contact_id: str, conversation_id: str, channel: str, tenant: str, turn: Turn, question: str) -> str:
    """Who asks."""
    return f"{contact_id}|{conversation_id}|{channel}|{tenant}|{turn.text}|{question}"


TURN = Turn(text="hi", contact_id="contact-ana", conversation_id="c-1", channel="sms")


async def call(given: dict[str, Any], policy: ToolPolicy | None = None, earlier: int = 0) -> Any:
    return await (policy or ToolPolicy(tenant="shop")).call(described(whoami), TURN, given, earlier=earlier)


async def test_who_the_person_is_comes_from_us() -> None:
    assert await call({"question": "who?"}) == "contact-ana|c-1|sms|shop|hi|who?"


@pytest.mark.parametrize("name", ["contact_id", "conversation_id", "channel", "tenant", "turn"])
async def test_a_call_that_says_who_the_person_is_is_refused(name: str) -> None:
    with pytest.raises(ToolRefused, match=f"{name} is not for you to set"):
        await call({"question": "who?", name: "contact-bob"})


@pytest.mark.parametrize("given", ["x" * 501, ["x" * 300, "y" * 300], {"a": "x" * 501}, 10**600])
async def test_an_argument_that_is_too_long_is_refused_in_any_shape(given: Any) -> None:
    with pytest.raises(ToolRefused, match="question may have at most 500 characters"):
        await call({"question": given})


async def test_calls_are_counted_over_the_reply() -> None:
    assert await call({"question": "?"}, ToolPolicy(calls=2), earlier=1)
    with pytest.raises(ToolRefused, match="called 2 times"):
        await call({"question": "?"}, ToolPolicy(calls=2), earlier=2)


@pytest.mark.parametrize(
    ("allowed", "is_allowed"),
    [
        ({}, True),
        ({"*/sms": ["*"]}, True),
        ({"*/sms": ["whoami"]}, True),
        ({"default/*": ["who*"]}, True),
        ({"*/sms": ["other"]}, False),
        ({"*/whatsapp": ["*"]}, False),
        ({"refunds/*": ["*"]}, False),
        ({"*/whatsapp": ["*"], "*/sms": ["whoami"]}, True),
    ],
)
async def test_the_places_decide_which_tools_there_are(allowed: dict[str, list[str]], is_allowed: bool) -> None:
    policy = ToolPolicy(allowed=allowed)
    assert policy.allows("whoami", TURN) is is_allowed
    if not is_allowed:
        with pytest.raises(ToolRefused, match="not available here"):
            await call({"question": "?"}, policy)


async def test_a_result_is_cut_before_it_costs_too_much() -> None:
    @tool
    def endless() -> list[int]:
        """Returns a lot."""
        return list(range(10_000))

    result = await ToolPolicy().call(described(endless), TURN, {}, earlier=0)
    assert len(result) < MAX_RESULT + 10
    assert result.endswith("(cut)")
