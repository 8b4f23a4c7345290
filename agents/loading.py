"""A user's own agent by its import path: `MESSAGING_AGENT=module:name`."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import typing
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agents import importing
from agents.engine import AgentFailed, ReplyEngine
from agents.turn import KINDS, Draft, Firing, Learned, Turn

# Four messages of the longest that a provider takes. Nobody reads more on a phone; an agent that writes more is broken.
MAX_REPLY = 6_400

_SETTING = "MESSAGING_AGENT"
_ALLOWED = (
    "an async function or a function that takes the turn, an object with such a method `reply`, "
    "or a class of such objects that is made without arguments"
)
_RETURNS = "return a text that is not empty, or a Draft with one, with media or with a handoff"


def load_agent(path: str) -> ReplyEngine:
    """The agent that `path` ("module:name") names; the current directory is importable.

    Raises ValueError naming MESSAGING_AGENT, the value and what is allowed.
    """
    module_name, name = importing.split(path, setting=_SETTING, example="my_agent:reply")
    module = importing.module_of(module_name, path, setting=_SETTING)
    found = importing.attribute(module, name, path, setting=_SETTING, allowed=_ALLOWED)
    if inspect.isclass(found):
        try:
            found = found()
        except Exception as error:
            raise ValueError(f"MESSAGING_AGENT={path!r}: {name} cannot be made without arguments: {error}") from error
    target = found.reply if callable(getattr(found, "reply", None)) else found
    if not callable(target) or not _takes_one(target):
        raise ValueError(f"MESSAGING_AGENT={path!r} is {type(found).__name__}, but must be {_ALLOWED}")
    if wrong := _wrong_return(target):
        raise ValueError(f"MESSAGING_AGENT={path!r} {wrong}; it must {_RETURNS}")
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
    if not (draft.text.strip() or draft.media or draft.handoff):
        raise AgentFailed(f"the agent returned an empty text; it must {_RETURNS}", retryable=False)
    if len(draft.text) > MAX_REPLY:
        raise AgentFailed(
            f"the agent returned {len(draft.text)} characters; a reply has at most {MAX_REPLY}", retryable=False
        )
    if wrong := next((name for name, allowed in _FIELDS if not allowed(getattr(draft, name))), None):
        raise AgentFailed(f"the agent returned a Draft whose {wrong} is not what a Draft may hold", retryable=False)
    try:
        draft.text.encode()
    except UnicodeEncodeError as error:
        raise AgentFailed("the agent returned a text that is no valid Unicode", retryable=False) from error
    return draft


def _all(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple | list) and all(isinstance(row, kind) for row in value)


# A Draft of other types would travel to the conversation and fail there, out of the agent's sight.
_FIELDS: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("kind", lambda value: value in KINDS),
    ("sources", _all(str)),
    ("facts", _all(Learned)),
    ("handoff", lambda value: isinstance(value, str)),
    ("media", _all(str)),
    ("cost", lambda value: value is None or (isinstance(value, int | float) and 0 <= value < float("inf"))),
    (
        "usage",
        lambda value: (
            isinstance(value, Mapping)
            and all(isinstance(key, str) and isinstance(count, int) for key, count in value.items())
        ),
    ),
    ("firings", _all(Firing)),
)


def _wrong_return(target: Callable[..., Any]) -> str:
    """What is wrong with what a function says it returns; nothing where it does not say."""
    if inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target):
        return "yields its reply in pieces, and nothing is streamed"
    try:
        told = typing.get_type_hints(target).get("return")
    except Exception:  # noqa: BLE001 - a name that only a type checker knows: the call will tell
        return ""
    if inspect.isclass(told) and not issubclass(told, str | Draft) and told is not object:
        return f"returns {told.__name__}"
    return ""


def _takes_one(target: Callable[..., Any]) -> bool:
    try:
        inspect.signature(target).bind(object())
    except TypeError:
        return False
    except ValueError:  # written in C: it tells nothing, so it is tried
        return True
    return True
