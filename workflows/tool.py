"""A user's own function, called by a step and run as an activity: `@tool` over an `async def`.

A tool may run more than once for one call: a worker may die after it has done its work. It gets a `key` that is the
same for every attempt and for every redraft that asks the same; what changes something outside hands it on as its
idempotency key.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows import flow, ids
from workflows.length import ACTIVITY, count
from workflows.policy import HEARTBEAT, Call

if TYPE_CHECKING:
    from workflows.steps import TurnContext

Q = TypeVar("Q")
A = TypeVar("A")


class ToolFailed(Exception):
    """A tool says why it failed. `reason` is shown to operators: no text of the person's, no number, no secret."""

    def __init__(self, reason: str, *, retryable: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall(Generic[Q]):
    """What a tool gets: what the step asks, and the call's idempotency key."""

    request: Q
    key: str
    conversation_id: str
    contact_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Generic[Q, A]):
    """A function by its name, how it runs as an activity, and what it takes and gives."""

    name: str
    function: Callable[[ToolCall[Q]], Awaitable[A]]
    how: Call
    takes: Any
    gives: Any

    async def __call__(self, turn: TurnContext, request: Q, *, slot: str | None = None) -> A:
        """Run it. `slot` names the call where a turn means one and the same by different requests.

        Raises:
            ActivityError: it failed for good.
            FlowError: the flow of this turn does not declare it.
        """
        if self.name not in turn.tools:
            raise flow.FlowError(f"tool {self.name!r} is not among the tools of the flow")
        what = _digest(request) if slot is None else slot
        call = ToolCall(
            request=request,
            key=ids.token(turn.start.conversation_id, turn.texts[0].key, self.name, what),
            conversation_id=turn.start.conversation_id,
            contact_id=turn.contact_id,
        )
        count(ACTIVITY)
        # By name: in the sandbox the function is another object than the one that the worker runs.
        given: A = await workflow.execute_activity(
            self.name,
            call,
            result_type=self.gives,
            start_to_close_timeout=self.how.timeout,
            schedule_to_close_timeout=self.how.total,
            heartbeat_timeout=self.how.heartbeat,
            retry_policy=self.how.retry,
            cancellation_type=flow.WAIT if self.how.waited_for else workflow.ActivityCancellationType.TRY_CANCEL,
            summary=f"turn {turn.state.turn}, {flow.running_step().name}",
        )
        return given

    def asked(self, request: Callable[[TurnContext], Q]) -> Asked[Q, A]:
        """What a step runs that is one call of this tool."""
        return Asked(self, request)


@dataclass(frozen=True, slots=True)
class Asked(Generic[Q, A]):
    """One call of a tool, with what makes its request."""

    tool: Tool[Q, A]
    request: Callable[[TurnContext], Q]

    shape: ClassVar[str] = "tool"

    async def __call__(self, turn: TurnContext) -> A:
        """The tool's answer."""
        return await self.tool(turn, self.request(turn))


def tool(
    *,
    timeout: timedelta = timedelta(seconds=30),
    total: timedelta = timedelta(minutes=10),
    attempts: int = 8,
    changes: bool = False,
    name: str = "",
) -> Callable[[Callable[[ToolCall[Q]], Awaitable[A]]], Tool[Q, A]]:
    """Make a tool of a function that takes a `ToolCall` of one dataclass and gives one.

    `timeout` bounds one attempt, `total` all of them. One that `changes` something is not abandoned in the middle: a
    cancelled turn waits for it.

    Raises:
        TypeError: the function does not name what it takes and gives.
    """

    def decorate(function: Callable[[ToolCall[Q]], Awaitable[A]]) -> Tool[Q, A]:
        takes, gives = _types(function)
        how = Call(
            timeout=timeout,
            total=total,
            heartbeat=HEARTBEAT,
            retry=RetryPolicy(
                initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=attempts
            ),
            waited_for=changes,
        )
        return Tool(name=name or function.__name__, function=function, how=how, takes=takes, gives=gives)

    return decorate


def _types(function: Callable[..., Any]) -> tuple[Any, Any]:
    parameters = list(inspect.signature(function).parameters)
    hints = typing.get_type_hints(function)
    takes = hints.get(parameters[0]) if len(parameters) == 1 else None
    if typing.get_origin(takes) is not ToolCall or "return" not in hints or not inspect.iscoroutinefunction(function):
        raise TypeError(
            f"tool {function.__name__!r} must be: async def {function.__name__}(call: ToolCall[Request]) -> Response"
        )
    return takes, hints["return"]


def _digest(request: Any) -> str:
    is_plain = isinstance(request, type) or not dataclasses.is_dataclass(request)
    plain = request if is_plain else dataclasses.asdict(request)
    text = json.dumps(plain, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
