"""A user's own agent by its import path: `MESSAGING_AGENT=module:name`."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.engine import AgentFailed, ReplyEngine
from agents.turn import Draft, Turn

_ALLOWED = (
    "an async function or a function that takes the turn, an object with such a method `reply`, "
    "or a class of such objects that is made without arguments"
)
_RETURNS = "return a text that is not empty, or a Draft with one"


def load_agent(path: str) -> ReplyEngine:
    """The agent that `path` ("module:name") names; the current directory is importable.

    Raises ValueError naming MESSAGING_AGENT, the value and what is allowed.
    """
    module_name, _, name = path.strip().partition(":")
    if not module_name or not name:
        raise ValueError(f"MESSAGING_AGENT={path!r} must look like 'module:name', for example 'my_agent:reply'")
    found = _attribute(_module(module_name, path), name, path)
    if inspect.isclass(found):
        try:
            found = found()
        except Exception as error:
            raise ValueError(f"MESSAGING_AGENT={path!r}: {name} cannot be made without arguments: {error}") from error
    target = found.reply if callable(getattr(found, "reply", None)) else found
    if not callable(target) or not _takes_one(target):
        raise ValueError(f"MESSAGING_AGENT={path!r} is {type(found).__name__}, but must be {_ALLOWED}")
    return LoadedAgent(target)


class LoadedAgent:
    """Calls a user's function, async or not, and makes a Draft of what it returns."""

    def __init__(self, function: Callable[[Turn], Any]) -> None:
        self._function = function
        # A callable object hides its coroutine function one step further in.
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - not asked whether it is callable
        )

    async def reply(self, turn: Turn) -> Draft:
        """Raises AgentFailed for a reply of another kind; what the agent raises passes through."""
        if self._is_async:
            result = await self._function(turn)
        else:
            result = await asyncio.to_thread(self._function, turn)
            if inspect.isawaitable(result):  # a function that returns a coroutine
                result = await result
        return _draft(result)


def _draft(result: Any) -> Draft:
    draft = Draft(text=result) if isinstance(result, str) else result
    if not isinstance(draft, Draft) or not isinstance(draft.text, str):
        raise AgentFailed(f"the agent returned {type(result).__name__}; it must {_RETURNS}", retryable=False)
    if not draft.text.strip():
        raise AgentFailed(f"the agent returned an empty text; it must {_RETURNS}", retryable=False)
    return draft


def _module(name: str, path: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise ValueError(f"MESSAGING_AGENT={path!r}: {name} needs the module {error.name!r}") from error
        raise ValueError(
            f"MESSAGING_AGENT={path!r}: there is no module {name!r}, neither installed nor in {here}"
        ) from error
    except Exception as error:
        raise ValueError(f"MESSAGING_AGENT={path!r}: importing {name!r} failed: {error}") from error


def _attribute(module: Any, name: str, path: str) -> Any:
    found = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise ValueError(
                f"MESSAGING_AGENT={path!r}: the module {module.__name__!r} has no {name!r}. It must be {_ALLOWED}"
            ) from error
    return found


def _takes_one(target: Callable[..., Any]) -> bool:
    try:
        inspect.signature(target).bind(object())
    except TypeError:
        return False
    except ValueError:  # written in C: it tells nothing, so it is tried
        return True
    return True
