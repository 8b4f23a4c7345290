"""Tools that a model may call: a user's plain functions, and the policy that binds them from outside the model.

A model sees a tool's name, its docs and its own parameters. Who the person is comes from us: parameters of the names in
OURS are filled in from the turn, and a model neither sees nor sets them. So no text, whatever it says, reaches
another person's data through a tool that asks by `contact_id`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, overload

from agents import importing
from agents.turn import Turn

_SETTING = "MESSAGING_TOOLS"
_ALLOWED = (
    "a module with functions marked by `@tool`, a function, or a list of functions; each with a docstring and types"
)
_MARK = "__messaging_tool__"

# Parameters that we fill in; with each, what it is filled in with. `tenant` is the deployment's own.
OURS = ("turn", "contact_id", "conversation_id", "channel", "tenant")

# Calls in one reply. A model that runs in circles is told so; a text message's question needs one or two look-ups.
MAX_CALLS = 5

# The longest argument a model may give, in characters: an id, a date, an address; not a document.
MAX_ARGUMENT = 500

# What of a result is handed to the model: more would cost more than a text message is worth.
MAX_RESULT = 4_000


class ToolRefused(Exception):
    """The policy does not let this call through. `reason` is for the model and the operator; it holds no argument."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRule:
    """What one tool takes. `longest` is an argument's length in characters."""

    longest: int = MAX_ARGUMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that a model may call. `ours` are its parameters that we fill in."""

    name: str
    function: Callable[..., Any]
    docs: str
    ours: tuple[str, ...]
    rule: ToolRule


@overload
def tool(function: Callable[..., Any]) -> Callable[..., Any]: ...


@overload
def tool(*, longest: int = MAX_ARGUMENT) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...


def tool(function: Callable[..., Any] | None = None, *, longest: int = MAX_ARGUMENT) -> Callable[..., Any]:
    """Mark a function as a tool. It stays the plain function it is."""

    def mark(marked: Callable[..., Any]) -> Callable[..., Any]:
        setattr(marked, _MARK, ToolRule(longest=longest))
        return marked

    return mark if function is None else mark(function)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPolicy:
    """Which tools may be used where, and for whom.

    `allowed` maps a place, "flow/channel" with `*` as a wildcard, to names of tools, of which `*` is all. A place that
    no pattern matches may use none. Empty, every place may use every tool. `calls` are those of one reply.
    """

    allowed: Mapping[str, Collection[str]] = field(default_factory=dict)
    calls: int = MAX_CALLS
    tenant: str = "default"

    def allows(self, name: str, turn: Turn) -> bool:
        """Whether this tool may be used in this turn."""
        if not self.allowed:
            return True
        place = f"{turn.flow or 'default'}/{turn.channel}"
        return any(
            fnmatchcase(place, pattern) and any(fnmatchcase(name, allowed) for allowed in names)
            for pattern, names in self.allowed.items()
        )

    async def call(self, tool: Tool, turn: Turn, given: Mapping[str, Any], *, earlier: int) -> Any:
        """Call the tool for this turn's person. `earlier` counts the calls of this reply.

        Raises:
            ToolRefused: not allowed here, called too often, or an argument that is ours or too long.
        """
        if not self.allows(tool.name, turn):
            raise ToolRefused(f"the tool {tool.name} is not available here")
        if earlier >= self.calls:
            raise ToolRefused(f"tools were called {earlier} times for this reply, which is all there may be")
        for name, value in given.items():
            if name in OURS:
                raise ToolRefused(f"{tool.name}: {name} is not for you to set")
            if _length(value) > tool.rule.longest:
                raise ToolRefused(f"{tool.name}: {name} may have at most {tool.rule.longest} characters")
        arguments = {**given, **{name: self._ours(name, turn) for name in tool.ours}}
        if inspect.iscoroutinefunction(tool.function):
            return _shortened(await tool.function(**arguments))
        return _shortened(await asyncio.to_thread(tool.function, **arguments))

    def _ours(self, name: str, turn: Turn) -> Any:
        return {"turn": turn, "tenant": self.tenant}[name] if name in {"turn", "tenant"} else getattr(turn, name)


def load_tools(path: str) -> tuple[Tool, ...]:
    """The tools of `path`: "module" for what it marks by `@tool`, or "module:name" for a function or a list.

    Raises ValueError naming MESSAGING_TOOLS, the function and what is allowed.
    """
    module_name, _, name = path.strip().partition(":")
    if not module_name:
        raise ValueError(f"{_SETTING}={path!r} must look like 'module' or 'module:name', for example 'shop'")
    module = importing.module_of(module_name, path, setting=_SETTING)
    found: Any
    if name:
        found = importing.attribute(module, name, path, setting=_SETTING, allowed=_ALLOWED)
    else:
        found = [value for value in vars(module).values() if callable(value) and hasattr(value, _MARK)]
    functions = list(found) if isinstance(found, Iterable) and not isinstance(found, str | Mapping) else [found]
    if not functions:
        raise ValueError(f"{_SETTING}={path!r} names no tool. It must be {_ALLOWED}")
    try:
        tools = tuple(described(function) for function in functions)
    except ValueError as error:
        raise ValueError(f"{_SETTING}={path!r}: {error}. It must be {_ALLOWED}") from error
    names = [one.name for one in tools]
    if twice := {one for one in names if names.count(one) > 1}:
        raise ValueError(f"{_SETTING}={path!r}: two tools are named {', '.join(sorted(twice))}")
    return tools


def described(function: Any) -> Tool:
    """A function as a tool. Raises ValueError saying what it lacks."""
    if not inspect.isfunction(function):
        raise ValueError(f"{type(function).__name__} is no function")
    name = function.__name__
    if not (docs := inspect.getdoc(function)):
        raise ValueError(f"{name} has no docstring, which is all that a model knows of it")
    try:
        hints = typing.get_type_hints(function)
    except Exception as error:
        raise ValueError(f"the types of {name} cannot be read: {error}") from error
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            raise ValueError(f"{name} takes {parameter}, but a model gives arguments by name only")
        if parameter.name not in hints and parameter.name not in OURS:
            raise ValueError(f"the parameter {parameter.name!r} of {name} has no type")
    ours = tuple(parameter.name for parameter in parameters if parameter.name in OURS)
    return Tool(name=name, function=function, docs=docs, ours=ours, rule=getattr(function, _MARK, ToolRule()))


def _length(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(_length(key) + _length(item) for key, item in value.items())
    if isinstance(value, list | tuple | set):
        return sum(_length(item) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _length(dataclasses.asdict(value))
    return len(str(value))


def _shortened(result: Any) -> Any:
    """A text that is too long is cut; what else a tool returns is bounded by becoming one."""
    if isinstance(result, str):
        return result if len(result) <= MAX_RESULT else f"{result[:MAX_RESULT]}… (cut)"
    return result if len(str(result)) <= MAX_RESULT else f"{str(result)[:MAX_RESULT]}… (cut)"
