"""A turn's flow as data: a directed acyclic graph of steps, and the runner that executes any of them.

A step starts when all its predecessors have ended. It is skipped when its condition says no, or when all its
predecessors were skipped; so a join of two branches runs when either ran. Steps that do not depend on each other run at
the same time. A step may be a flow itself. A flow that has a cycle or names an unknown step cannot be built.
"""

from __future__ import annotations

import asyncio
import contextvars
import graphlib
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, is_cancelled_exception

from workflows import drawing, telling, tracing
from workflows.length import ACTIVITY, LOCAL_ACTIVITY, TIMER, count, heard
from workflows.policy import Call
from workflows.state import Outcome, StepRecord

if TYPE_CHECKING:
    from workflows.tool import Tool

# What is also a node's id in a drawing, a key in a record and half of a reference.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

C = TypeVar("C")


class FlowError(ValueError):
    """The flow cannot be run as declared; the message names the step."""


class StepFailed(Exception):
    """A step without a fallback failed for good."""

    def __init__(self, step: str, cause: BaseException) -> None:
        super().__init__(f"step {step!r} failed: {reason_of(cause)}")
        self.step = step
        self.reason = reason_of(cause)


class Halt(Exception):
    """Raised by a step or the guard: nothing more of this flow runs. `outcome` is the turn's, None to draft anew."""

    def __init__(self, reason: str, *, outcome: Outcome | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[C]):
    """One step. `run` gets the turn's context; its result is kept under the step's name. Or it is a flow of its own.

    `call` says how the activities run that the step starts by `act`. `deadline` bounds the whole step, at the price of
    a timer; where `call` is local, that alone says how long. `fallback` takes over when `run` failed for good. A
    `guarded` step runs only if the flow's guard still lets it.
    """

    name: str
    run: Callable[[C], Awaitable[Any]] | Flow[C]
    after: tuple[str, ...] = ()
    when: Callable[[C], bool] | None = None
    call: Call | None = None
    deadline: timedelta | None = None
    fallback: Callable[[C, BaseException], Awaitable[Any]] | None = None
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Flow(Generic[C]):
    """A checked graph of steps, in the order in which they are declared.

    Names are those of the whole tree: a step of a sub-flow has none that another step has. `version` goes up when open
    conversations must not go on with the new steps in the middle of a turn. `tools` are those that steps call in their
    own code; a step that is one tool's call need not repeat it. In a group, texts of several people are answered in one
    turn only where `together` says so.

    Raises:
        FlowError: a name that is none or taken, an unknown predecessor, a cycle, or two tools of one name.
    """

    name: str
    steps: tuple[Step[C], ...]
    version: int = 1
    tools: tuple[Tool[Any, Any], ...] = ()
    together: bool = False

    def __post_init__(self) -> None:
        names = [step.name for step in self.tree()]
        for name in (self.name, *names):
            if not _NAME.fullmatch(name) or name == "end":  # the one word that Mermaid keeps for itself
                raise FlowError(f"{name!r} in flow {self.name!r}: a name is letters, digits, - and _, and not 'end'")
        for step in self.tree():
            if names.count(step.name) > 1:
                raise FlowError(f"flow {self.name!r} has two steps named {step.name!r}")
            if step.deadline is not None and step.call is not None and step.call.local:
                why = "a deadline interrupts no local activity; its call has a time of its own"
                raise FlowError(f"step {step.name!r} in flow {self.name!r}: {why}")
        own = [step.name for step in self.steps]
        for step in self.steps:
            for before in step.after:
                if before not in own:
                    raise FlowError(
                        f"step {step.name!r} comes after {before!r}, which flow {self.name!r} does not have"
                    )
        try:
            graphlib.TopologicalSorter({s.name: s.after for s in self.steps}).prepare()
        except graphlib.CycleError as cycle:
            raise FlowError(f"flow {self.name!r} has a cycle: {' → '.join(cycle.args[1])}") from None
        self.all_tools()

    @property
    def ref(self) -> str:
        """What a conversation carries: name@version."""
        return f"{self.name}@{self.version}"

    def tree(self) -> Iterator[Step[C]]:
        """Every step, each sub-flow's after the step that runs it."""
        for step in self.steps:
            yield step
            if isinstance(step.run, Flow):
                yield from step.run.tree()

    def all_tools(self) -> dict[str, Tool[Any, Any]]:
        """The tools of the whole tree by name.

        Raises:
            FlowError: two different ones have one name.
        """
        called = [tool for step in self.tree() if (tool := getattr(step.run, "tool", None))]
        declared = [tool for step in self.tree() if isinstance(step.run, Flow) for tool in step.run.tools]
        found: dict[str, Tool[Any, Any]] = {}
        for tool in (*self.tools, *declared, *called):
            if found.setdefault(tool.name, tool) is not tool:
                raise FlowError(f"flow {self.name!r} has two tools named {tool.name!r}")
        return found

    def to_mermaid(self, records: tuple[StepRecord, ...] = ()) -> str:
        """The graph as a Mermaid flowchart, with what became of each step where `records` tell."""
        return drawing.mermaid(self.steps, {record.name: record.status for record in records})


@dataclass(slots=True)
class Run(Generic[C]):
    """One execution of a flow for one context. `records` and `results` are readable at any time, and sub-flows'."""

    flow: Flow[C]
    context: C
    guard: Callable[[Step[C]], None]
    results: dict[str, Any]
    records: dict[str, StepRecord] = field(default_factory=dict)

    @property
    def in_place(self) -> bool:
        """Whether a local activity runs: it is short, and the workflow task cannot end before it."""
        running = {record.name for record in self.records.values() if record.status == "running"}
        return any(step.name in running and step.call is not None and step.call.local for step in self.flow.tree())

    async def execute(self) -> None:
        """Run every step that is due.

        Raises:
            StepFailed: a step failed and had no fallback.
            Halt: the guard or a step stopped the flow.
        """
        waiting = list(self.flow.steps)
        running: dict[asyncio.Task[None], Step[C]] = {}
        try:
            while waiting or running:
                for step in [s for s in waiting if self._is_due(s)]:
                    waiting.remove(step)
                    if reason := self._skip_reason(step):
                        self.records[step.name] = StepRecord(name=step.name, status="skipped", reason=reason)
                        break  # a skip may make others due that were declared before
                    running[asyncio.create_task(self._run(step))] = step
                else:
                    if running:
                        done, _ = await workflow.wait(list(running), return_when=asyncio.FIRST_COMPLETED)
                        for task in done:
                            del running[task]
                            task.result()
        except (Exception, asyncio.CancelledError):  # not `finally`: an evicted workflow must end without a word
            await self._cancel(list(running))
            raise

    def _is_due(self, step: Step[C]) -> bool:
        return all(before in self.records and self.records[before].status != "running" for before in step.after)

    def _skip_reason(self, step: Step[C]) -> str:
        if step.after and all(self.records[before].status == "skipped" for before in step.after):
            return f"{', '.join(step.after)} skipped"
        if step.when is not None and not step.when(self.context):
            return f"not {step.when.__name__}"
        return ""

    async def _run(self, step: Step[C]) -> None:
        record = StepRecord(name=step.name, status="running", started_at=workflow.now())
        self.records[step.name] = record
        _STEP.set(step)
        tracing.enter(step.name, record.started_at)
        try:
            if step.guarded:
                self.guard(step)
            self.results[step.name] = await self._attempt(step)
        except Halt as halt:
            self._end(record, "halted", halt.reason)
            raise
        except asyncio.CancelledError:
            self._end(record, "cancelled")
            raise
        except Exception as error:
            if is_cancelled_exception(error):
                self._end(record, "cancelled")
                raise
            await self._fall_back(step, record, error)
        else:
            self._end(record, "ran")

    async def _fall_back(self, step: Step[C], record: StepRecord, error: Exception) -> None:
        reason = reason_of(error)
        if step.fallback is None:
            self._end(record, "failed", reason)
            raise StepFailed(step.name, error) from error
        try:
            self.results[step.name] = await step.fallback(self.context, error)
        except Halt as halt:
            self._end(record, "halted", halt.reason)
            raise
        except Exception as worse:
            self._end(record, "failed", reason_of(worse))
            raise StepFailed(step.name, worse) from worse
        self._end(record, "fell back", reason)

    @staticmethod
    def _end(record: StepRecord, status: str, reason: str = "") -> None:
        record.status, record.reason, now = status, reason, workflow.now()
        if record.started_at is None:
            return
        record.milliseconds = round((now - record.started_at).total_seconds() * 1000)
        telling.tell(
            telling.StepEnded(
                conversation_id=workflow.info().workflow_id,
                name=record.name,
                status=status,
                started_at=record.started_at,
                ended_at=now,
                context=tracing.here(),
                parent=tracing.above(),
            )
        )

    async def _attempt(self, step: Step[C]) -> Any:
        if step.deadline is None:
            return await self._do(step)
        task = asyncio.ensure_future(self._do(step))
        try:
            # Not wait_for: a cancelled activity ends with an error of its own, and that would hide the deadline.
            count(TIMER)
            await workflow.wait([task], timeout=step.deadline.total_seconds())
        except asyncio.CancelledError:
            await self._cancel([task])
            raise
        if not task.done():
            await self._cancel([task])
            raise TimeoutError(f"not within {step.deadline.total_seconds():g} s")
        return task.result()

    async def _do(self, step: Step[C]) -> Any:
        if not isinstance(step.run, Flow):
            return await step.run(self.context)
        return await Run(step.run, self.context, self.guard, self.results, self.records).execute()

    @staticmethod
    async def _cancel(tasks: list[asyncio.Future[Any]]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)


WAIT = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED

_STEP: contextvars.ContextVar[Step[Any] | None] = contextvars.ContextVar("step", default=None)


def running_step() -> Step[Any]:
    """The step whose code this is called from.

    Raises:
        FlowError: it is no step's.
    """
    step = _STEP.get()
    if step is None:
        raise FlowError("only the steps of a running flow may do this")
    return step


async def act(method: Callable[..., Awaitable[Any]], request: Any, *, summary: str = "") -> Any:
    """Run one activity as the `call` of the running step says.

    Raises:
        FlowError: the step declares none.
    """
    step = running_step()
    if step.call is None:
        raise FlowError("a step that runs an activity must declare how, by `call`")
    return await call(step.call, method, request, summary=summary or step.name)


async def call(how: Call, method: Callable[..., Awaitable[Any]], request: Any, *, summary: str = "") -> Any:
    """Run one activity as `how` says."""
    count(LOCAL_ACTIVITY if how.local else ACTIVITY)
    if how.local:
        return await workflow.execute_local_activity_method(
            method,
            request,
            start_to_close_timeout=how.timeout,
            schedule_to_close_timeout=how.total,
            retry_policy=how.retry,
            summary=summary or None,
        )
    result = await workflow.execute_activity_method(
        method,
        request,
        start_to_close_timeout=how.timeout,
        schedule_to_close_timeout=how.total,
        heartbeat_timeout=how.heartbeat,
        retry_policy=how.retry,
        # A cancelled draft must not hold the next one up; the activity hears of it at its next heartbeat.
        cancellation_type=WAIT if how.waited_for else workflow.ActivityCancellationType.TRY_CANCEL,
        summary=summary or None,
    )
    heard()
    return result


def reason_of(error: BaseException) -> str:
    """The innermost cause, by type where it has one: what an operator needs first."""
    while isinstance(error, ActivityError | ChildWorkflowError) and error.cause is not None:
        error = error.cause
    kind = (error.type if isinstance(error, ApplicationError) else None) or type(error).__name__
    text = getattr(error, "message", None) or str(error)
    return f"{kind}: {text}" if text else str(kind)
