"""The runner executes any acyclic flow, inside a workflow on the real server."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    import asyncio

    import pytest
    from temporalio.client import Client
    from temporalio.worker import Worker

    from runtime.temporal import workflow_runner
    from workflows.flow import Flow, Halt, Run, Step, StepFailed, call
    from workflows.policy import Call
    from workflows.state import Outcome, StepRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an activity is to do: fail so many times, then take so long."""

    failures: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One step as data. `does` is what its `run` does; `when` is its condition, where it has one."""

    name: str
    after: tuple[str, ...] = ()
    does: str = "pass"
    meets: str = ""
    work: Work = field(default_factory=Work)
    local: bool = False
    timeout: float = 10.0
    attempts: int = 1
    when: bool | None = None
    fallback: str = ""
    guarded: bool = False
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Flows to run, one after the other. The guard halts at the steps of these names."""

    flows: tuple[tuple[Plan, ...], ...]
    halts: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Told:
    """What became of a flow. In `log`: `+name` where a step begins, `-name` where it ends, `=name` after a fallback."""

    records: dict[str, StepRecord] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def statuses(self) -> dict[str, str]:
        return {name: record.status for name, record in self.records.items()}


class Workshop:
    """The activity of the steps that have one."""

    @activity.defn
    async def work(self, order: Work) -> str:
        attempt = activity.info().attempt
        if attempt <= order.failures:
            raise ApplicationError(f"failure {attempt}", type="flaky")
        await asyncio.sleep(order.seconds)
        return f"worked at attempt {attempt}"


@workflow.defn
class FlowWorkflow:
    """Builds each flow from its plan and runs it."""

    @workflow.run
    async def run(self, asked: Asked) -> list[Told]:
        return [await self._run(plans, asked.halts) for plans in asked.flows]

    async def _run(self, plans: tuple[Plan, ...], halts: tuple[str, ...]) -> Told:
        told = Told()

        def guard(step: Step[Told]) -> None:
            if step.name in halts:
                raise Halt("the guard said no", outcome=Outcome.HELD)

        run = Run(Flow("planned", tuple(_step(plan) for plan in plans)), told, guard, told.results)
        try:
            await run.execute()
        except StepFailed as failed:
            told.error = f"{failed.step} failed: {failed.reason}"
        except Halt as halt:
            told.error = f"halted: {halt.reason}"
        told.records = run.records
        return told


def _step(plan: Plan) -> Step[Told]:
    async def act(told: Told) -> str:
        told.log.append(f"+{plan.name}")
        try:
            return await _act(plan, told)
        finally:
            told.log.append(f"-{plan.name}")

    async def fall_back(told: Told, error: BaseException) -> str:
        if plan.fallback == "fails too":
            raise ApplicationError("no way out", type="broken")
        if plan.fallback == "takes a while":
            await asyncio.sleep(0.3)
        told.log.append(f"={plan.name}")
        return plan.fallback

    return Step(
        name=plan.name,
        run=act,
        after=plan.after,
        when=None if plan.when is None else lambda _: bool(plan.when),
        deadline=None if plan.deadline is None else timedelta(seconds=plan.deadline),
        fallback=fall_back if plan.fallback else None,
        guarded=plan.guarded,
    )


async def _act(plan: Plan, told: Told) -> str:
    match plan.does:
        case "meet":
            # Gives up where the other never comes, so that a runner without parallel branches fails and does not hang.
            await workflow.wait_condition(lambda: f"+{plan.meets}" in told.log, timeout=timedelta(seconds=10))
        case "yield":
            await asyncio.sleep(0)
        case "fail":
            raise ApplicationError("it broke", type="broken")
        case "halt":
            raise Halt("the step said so", outcome=None)
        case "wait forever":
            await workflow.wait_condition(lambda: False)
        case "work":
            how = Call(
                timeout=timedelta(seconds=plan.timeout),
                retry=RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=plan.attempts),
                local=plan.local,
            )
            done: str = await call(how, Workshop.work, plan.work)
            return done
    return f"{plan.name} done"


@dataclass(slots=True)
class Runner:
    client: Client
    queue: str

    async def tell(self, *flows: tuple[Plan, ...], halts: tuple[str, ...] = ()) -> list[Told]:
        asked = Asked(flows=flows, halts=halts)
        async with asyncio.timeout(60):
            return await self.client.execute_workflow(
                FlowWorkflow.run, asked, id=f"flow-{uuid.uuid4().hex}", task_queue=self.queue
            )


@pytest.fixture
async def runner(client: Client) -> AsyncIterator[Runner]:
    queue = f"flows-{uuid.uuid4().hex}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[FlowWorkflow],
        activities=[Workshop().work],
        workflow_runner=workflow_runner(),
        graceful_shutdown_timeout=timedelta(0),
    ):
        yield Runner(client, queue)


RAN, SKIPPED, FAILED, CANCELLED = "ran", "skipped", "failed", "cancelled"

GRAPHS: dict[str, tuple[tuple[Plan, ...], dict[str, str], str]] = {
    "linear": (
        (Plan(name="a"), Plan(name="b", after=("a",)), Plan(name="c", after=("b",))),
        {"a": RAN, "b": RAN, "c": RAN},
        "",
    ),
    "declared backwards": (
        (Plan(name="c", after=("b",)), Plan(name="b", after=("a",)), Plan(name="a")),
        {"a": RAN, "b": RAN, "c": RAN},
        "",
    ),
    "diamond whose branches run at the same time": (
        (
            Plan(name="a"),
            Plan(name="left", after=("a",), does="meet", meets="right"),
            Plan(name="right", after=("a",), does="meet", meets="left"),
            Plan(name="join", after=("left", "right")),
        ),
        {"a": RAN, "left": RAN, "right": RAN, "join": RAN},
        "",
    ),
    "two roots that run at the same time": (
        (Plan(name="a", does="meet", meets="b"), Plan(name="b", does="meet", meets="a")),
        {"a": RAN, "b": RAN},
        "",
    ),
    "a condition that says no": (
        (Plan(name="a", when=False), Plan(name="b", when=True)),
        {"a": SKIPPED, "b": RAN},
        "",
    ),
    "a skip goes on to all that only depends on it": (
        (
            Plan(name="d", after=("c",)),
            Plan(name="c", after=("b",)),
            Plan(name="b", after=("a",), when=False),
            Plan(name="a"),
        ),
        {"a": RAN, "b": SKIPPED, "c": SKIPPED, "d": SKIPPED},
        "",
    ),
    "a join runs when one of its branches ran": (
        (
            Plan(name="a"),
            Plan(name="left", after=("a",), when=False),
            Plan(name="right", after=("a",)),
            Plan(name="join", after=("left", "right")),
        ),
        {"a": RAN, "left": SKIPPED, "right": RAN, "join": RAN},
        "",
    ),
    "a join is skipped when all its branches were": (
        (
            Plan(name="left", when=False),
            Plan(name="right", when=False),
            Plan(name="join", after=("left", "right")),
        ),
        {"left": SKIPPED, "right": SKIPPED, "join": SKIPPED},
        "",
    ),
    "a fallback takes over and the flow goes on": (
        (Plan(name="a", does="fail", fallback="instead"), Plan(name="b", after=("a",))),
        {"a": "fell back", "b": RAN},
        "",
    ),
    "a failure without a fallback ends the flow and cancels the branch beside it": (
        (
            Plan(name="a", does="meet", meets="b"),
            Plan(name="b", does="wait forever"),
            Plan(name="c", after=("a",), does="fail"),
            Plan(name="d", after=("b",)),
        ),
        {"a": RAN, "b": CANCELLED, "c": FAILED},
        "c failed: broken: it broke",
    ),
    "a failure cancels an activity beside it": (
        (
            Plan(name="a", does="work", work=Work(seconds=1)),
            Plan(name="b", does="work", work=Work(failures=1)),
        ),
        {"a": CANCELLED, "b": FAILED},
        "b failed: flaky: failure 1",
    ),
    "a step that halts ends the flow": (
        (
            Plan(name="a", does="halt", fallback="never"),
            Plan(name="b", after=("a",)),
        ),
        {"a": "halted"},
        "halted: the step said so",
    ),
    "a deadline ends a wait, and the fallback takes over": (
        (Plan(name="a", does="wait forever", deadline=0.1, fallback="instead"), Plan(name="b", after=("a",))),
        {"a": "fell back", "b": RAN},
        "",
    ),
    "a deadline ends a step that has no fallback": (
        (Plan(name="a", does="wait forever", deadline=0.1),),
        {"a": FAILED},
        "a failed: TimeoutError: not within 0.1 s",
    ),
    "a deadline that is kept changes nothing": (
        (Plan(name="a", does="work", deadline=30), Plan(name="b", after=("a",))),
        {"a": RAN, "b": RAN},
        "",
    ),
    "a deadline ends an activity, and the fallback takes over": (
        (Plan(name="a", does="work", work=Work(seconds=1), deadline=0.1, fallback="instead"),),
        {"a": "fell back"},
        "",
    ),
    "a fallback that fails is a step that failed": (
        (Plan(name="a", does="fail", fallback="fails too"),),
        {"a": FAILED},
        "a failed: broken: no way out",
    ),
}


@pytest.mark.parametrize(("plans", "statuses", "error"), GRAPHS.values(), ids=GRAPHS.keys())
async def test_a_flow_runs_as_its_graph_says(
    runner: Runner, plans: tuple[Plan, ...], statuses: dict[str, str], error: str
) -> None:
    [told] = await runner.tell(plans)
    assert (told.statuses, told.error) == (statuses, error)


async def test_a_fallbacks_result_stands_under_the_steps_name(runner: Runner) -> None:
    [told] = await runner.tell((Plan(name="a", does="fail", fallback="instead"), Plan(name="b", after=("a",))))
    assert told.results == {"a": "instead", "b": "b done"}
    assert told.records["a"].reason == "broken: it broke"


async def test_a_step_waits_for_the_fallback_of_the_one_before(runner: Runner) -> None:
    plans = (
        Plan(name="a", does="fail", fallback="takes a while"),
        Plan(name="beside", does="yield"),  # its end must not make anybody think that `a` has ended too
        Plan(name="b", after=("a",)),
    )
    [told] = await runner.tell(plans)
    assert told.log.index("=a") < told.log.index("+b"), told.log


async def test_a_skipped_step_says_why(runner: Runner) -> None:
    [told] = await runner.tell((Plan(name="a", when=False), Plan(name="b", after=("a",))))
    assert told.records["a"].reason.startswith("not ")
    assert told.records["b"].reason == "a skipped"
    assert told.results == {}


@pytest.mark.parametrize(
    ("guarded", "statuses", "error"),
    [
        (True, {"a": RAN, "b": "halted"}, "halted: the guard said no"),
        (False, {"a": RAN, "b": RAN, "c": RAN}, ""),
    ],
)
async def test_the_guard_halts_a_guarded_step_before_it_begins(
    runner: Runner, guarded: bool, statuses: dict[str, str], error: str
) -> None:
    plans = (Plan(name="a"), Plan(name="b", after=("a",), guarded=guarded, fallback="x"), Plan(name="c", after=("b",)))
    [told] = await runner.tell(plans, halts=("b",))
    assert (told.statuses, told.error) == (statuses, error)
    assert ("+b" in told.log) is not guarded


@pytest.mark.parametrize("local", [True, False], ids=["local", "regular"])
@pytest.mark.parametrize(
    ("work", "attempts", "timeout", "status", "result"),
    [
        (Work(), 1, 10, RAN, "worked at attempt 1"),
        (Work(failures=2), 3, 10, RAN, "worked at attempt 3"),
        (Work(failures=2), 2, 10, "fell back", "instead"),
        (Work(seconds=2), 1, 0.1, "fell back", "instead"),
    ],
    ids=["at once", "within its attempts", "out of attempts", "past its time"],
)
async def test_an_activity_runs_within_its_steps_time_and_attempts(
    runner: Runner, local: bool, work: Work, attempts: int, timeout: float, status: str, result: str
) -> None:
    plan = Plan(name="a", does="work", work=work, attempts=attempts, timeout=timeout, local=local, fallback="instead")
    [told] = await runner.tell((plan,))
    assert (told.statuses, told.results) == ({"a": status}, {"a": result})


def _any_flow(seed: int) -> tuple[Plan, ...]:
    """An acyclic flow: steps come after some of those before them, and are declared in any order."""
    dice = random.Random(seed)
    plans: list[Plan] = []
    for number in range(dice.randint(1, 9)):
        before = [plan.name for plan in plans]
        plans.append(
            Plan(
                name=f"s{number}",
                after=tuple(dice.sample(before, dice.randint(0, min(3, len(before))))),
                does=dice.choice(("pass", "yield", "yield", "fail")),
                when=dice.choice((None, None, True, False)),
                fallback="instead",
            )
        )
    dice.shuffle(plans)
    return tuple(plans)


def _expected(plans: tuple[Plan, ...]) -> dict[str, str]:
    by_name, became = {plan.name: plan for plan in plans}, {}

    def status(name: str) -> str:
        plan = by_name[name]
        if plan.when is False or (plan.after and {status(before) for before in plan.after} == {SKIPPED}):
            return SKIPPED
        return "fell back" if plan.does == "fail" else RAN

    for plan in plans:
        became[plan.name] = status(plan.name)
    return became


async def test_any_acyclic_flow_runs_each_step_once_and_after_all_it_comes_after(runner: Runner) -> None:
    flows = [_any_flow(seed) for seed in range(150)]
    for plans, told in zip(flows, await runner.tell(*flows), strict=True):
        assert told.error == "", plans
        assert told.statuses == _expected(plans), plans
        ran = [plan for plan in plans if told.statuses[plan.name] != SKIPPED]
        told.log = [entry for entry in told.log if not entry.startswith("=")]
        assert sorted(told.log) == sorted(f"{mark}{plan.name}" for plan in ran for mark in "+-"), plans
        for plan in ran:
            ended = told.log[: told.log.index(f"+{plan.name}")]
            assert [b for b in plan.after if told.statuses[b] != SKIPPED and f"-{b}" not in ended] == [], plans
