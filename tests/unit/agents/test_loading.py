"""A user's own agent in every shape it may have, and errors that say what to write."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engine import AgentFailed
from agents.loading import load_agent
from agents.turn import Turn

SOURCE = """
import asyncio
import threading
from agents.turn import Draft

async def reply(turn):
    return f"async {turn.text}"

def plain(turn):
    return f"sync {turn.text}"

def which_thread(turn):
    return str(threading.get_ident())

def passed_on(turn):
    return reply(turn)

async def draft(turn):
    return Draft(text="drafted", kind="unknown", sources=("mine",))

class Agent:
    async def reply(self, turn):
        return f"class {turn.text}"

class Callable:
    async def __call__(self, turn):
        return f"callable {turn.text}"

class Nested:
    Inner = Agent

class Needy:
    def __init__(self, needed): ...
    async def reply(self, turn): ...

instance = Agent()
called = Callable()
number = 7
empty = lambda turn: "  "
nothing = lambda turn: None
bytes_ = lambda turn: b"hello"
two = lambda turn, other: "x"

async def in_pieces(turn):
    yield "a"

def in_pieces_too(turn):
    yield "a"

async def a_number(turn) -> int:
    return 1

async def told(turn) -> "str | Draft":
    return "told"

async def unreadable(turn) -> "NoSuchName":
    return "unreadable"

def long(turn):
    return "x" * 6401

def draft_of(**fields):
    return lambda turn: Draft(text="fine", **fields)

odd_kind = draft_of(kind="guess")
odd_sources = draft_of(sources=(1,))
odd_facts = draft_of(facts=("name",))
odd_handoff = draft_of(handoff=True)
odd_cost = draft_of(cost=float("nan"))
odd_usage = draft_of(usage={"tokens": "many"})
odd_firings = draft_of(firings=("length",))

async def fails(turn):
    raise RuntimeError("the user's own error")
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "my_agent.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "broken_agent.py").write_text("1 / 0", encoding="utf-8")
    (tmp_path / "needy_agent.py").write_text("import a_module_that_is_not_there", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(tmp_path)])
    yield
    for name in ("my_agent", "broken_agent", "needy_agent"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reply", "async hello"),
        ("plain", "sync hello"),
        ("passed_on", "async hello"),
        ("draft", "drafted"),
        ("Agent", "class hello"),
        ("instance", "class hello"),
        ("called", "callable hello"),
        ("Callable", "callable hello"),
        ("Nested.Inner", "class hello"),
        ("told", "told"),
        ("unreadable", "unreadable"),
    ],
)
async def test_every_allowed_shape_answers(name: str, expected: str) -> None:
    draft = await load_agent(f"my_agent:{name}").reply(Turn(text="hello"))
    assert draft.text == expected


async def test_a_draft_stays_as_it_is() -> None:
    draft = await load_agent("my_agent:draft").reply(Turn(text="hello"))
    assert (draft.kind, draft.sources) == ("unknown", ("mine",))


async def test_a_function_that_blocks_does_not_block_the_event_loop() -> None:
    draft = await load_agent("my_agent:which_thread").reply(Turn(text="hello"))
    assert draft.text != str(threading.get_ident())


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", "must look like 'module:name'"),
        ("my_agent", "must look like 'module:name'"),
        (":reply", "must look like 'module:name'"),
        ("my_agent:", "must look like 'module:name'"),
        ("no_such_agent:reply", "no module 'no_such_agent'"),
        ("my_agent.sub:reply", "no module 'my_agent.sub'"),
        ("my_agent:missing", "has no 'missing'"),
        ("broken_agent:reply", "importing 'broken_agent' failed: division by zero"),
        ("needy_agent:reply", "needs the module 'a_module_that_is_not_there'"),
        ("my_agent:number", "is int, but must be"),
        ("my_agent:two", "is function, but must be"),
        ("my_agent:Needy", "cannot be made without arguments"),
        ("my_agent:in_pieces", "nothing is streamed"),
        ("my_agent:in_pieces_too", "nothing is streamed"),
        ("my_agent:a_number", "returns int; it must return a text"),
        ("..:reply", "MESSAGING_AGENT"),
    ],
)
def test_what_cannot_be_loaded_names_the_setting_the_value_and_what_is_allowed(path: str, says: str) -> None:
    with pytest.raises(ValueError, match="MESSAGING_AGENT") as caught:
        load_agent(path)
    assert says in str(caught.value)
    assert repr(path) in str(caught.value)


@pytest.mark.parametrize("name", ["empty", "nothing", "bytes_"])
async def test_a_reply_of_another_kind_fails_for_good_and_says_what_is_allowed(name: str) -> None:
    with pytest.raises(AgentFailed, match="return a text that is not empty, or a Draft") as caught:
        await load_agent(f"my_agent:{name}").reply(Turn(text="hello"))
    assert not caught.value.retryable


async def test_a_reply_that_is_too_long_fails_for_good_and_says_how_long_it_may_be() -> None:
    with pytest.raises(AgentFailed, match="6401 characters; a reply has at most 6400") as caught:
        await load_agent("my_agent:long").reply(Turn(text="hello"))
    assert not caught.value.retryable


@pytest.mark.parametrize("field", ["kind", "sources", "facts", "handoff", "cost", "usage", "firings"])
async def test_a_draft_of_other_types_is_refused_before_it_travels(field: str) -> None:
    with pytest.raises(AgentFailed, match=f"a Draft whose {field} is not") as caught:
        await load_agent(f"my_agent:odd_{field}").reply(Turn(text="hello"))
    assert not caught.value.retryable


async def test_the_users_own_errors_pass_through() -> None:
    with pytest.raises(RuntimeError, match="the user's own error"):
        await load_agent("my_agent:fails").reply(Turn(text="hello"))


@pytest.mark.parametrize(
    "body",
    ["raise SystemExit(1)", "raise KeyboardInterrupt", "return 'bad ' + chr(0xD800)"],
    ids=["exit", "interrupt", "a lone surrogate"],
)
@pytest.mark.parametrize("head", ["async def", "def"])
async def test_what_no_agent_may_do_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str, body: str
) -> None:
    name = f"bad_agent_{abs(hash((head, body)))}"
    (tmp_path / f"{name}.py").write_text(f"{head} reply(turn):\n    {body}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(AgentFailed) as refused:
        await load_agent(f"{name}:reply").reply(Turn(text="hi"))

    assert not refused.value.retryable
