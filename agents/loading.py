"""A user's own agent by its import path: `MESSAGING_AGENT=module:name`."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import inspect
import sys
import threading
from collections.abc import Awaitable, Callable
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
    """Calls a user's function, async or not, and makes a Draft of what it returns.

    Async agents share an event loop of their own: one that blocks it holds up other replies, but neither the
    conversations nor the heartbeats of its process.
    """

    def __init__(self, function: Callable[[Turn], Any]) -> None:
        self._function = function
        self._loop: asyncio.AbstractEventLoop | None = None
        # A callable object hides its coroutine function one step further in.
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - not asked whether it is callable
        )

    async def reply(self, turn: Turn) -> Draft:
        """Raises AgentFailed for a reply of another kind; what the agent raises passes through."""
        if self._is_async:
            result = await self._in_own_loop(self._function(turn))
        else:
            result = await asyncio.to_thread(self._called, turn)
            if inspect.isawaitable(result):  # a function that returns a coroutine
                result = await self._in_own_loop(result)
        return _draft(result)

    def _called(self, turn: Turn) -> Any:
        try:
            return self._function(turn)
        except (SystemExit, KeyboardInterrupt) as error:
            raise _left(error) from error

    async def _in_own_loop(self, awaitable: Awaitable[Any]) -> Any:
        if self._loop is None:
            self._loop = _running_loop()
        context = contextvars.copy_context()  # so that the agent's spans belong to this turn's trace
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_within(context, awaitable), self._loop))


async def _within(context: contextvars.Context, awaitable: Awaitable[Any]) -> Any:
    async def awaited() -> Any:
        try:
            return await awaitable
        except (SystemExit, KeyboardInterrupt) as error:
            raise _left(error) from error

    return await asyncio.get_running_loop().create_task(awaited(), context=context)


def _running_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="agent", daemon=True).start()
    return loop


def _left(error: BaseException) -> AgentFailed:
    return AgentFailed(f"the agent raised {type(error).__name__}, which ends a process", retryable=False)


def _draft(result: Any) -> Draft:
    draft = Draft(text=result) if isinstance(result, str) else result
    if not isinstance(draft, Draft) or not isinstance(draft.text, str):
        raise AgentFailed(f"the agent returned {type(result).__name__}; it must {_RETURNS}", retryable=False)
    if not draft.text.strip():
        raise AgentFailed(f"the agent returned an empty text; it must {_RETURNS}", retryable=False)
    try:
        draft.text.encode()
    except UnicodeEncodeError as error:
        raise AgentFailed("the agent returned a text that is no valid Unicode", retryable=False) from error
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
