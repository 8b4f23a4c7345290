"""A flow as data: what cannot be run is refused by name, and what can be is drawn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio import exceptions
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType

from tests.support import flows
from workflows import policy, steps
from workflows.flow import Flow, FlowError, Step, reason_of
from workflows.state import StepRecord


async def _nothing(_: object) -> None: ...


def _step(name: str, *after: str, **fields: object) -> Step[object]:
    return Step(name=name, run=_nothing, after=after, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("declared", "named"),
    [
        ((_step("a"), _step("b"), _step("a", "b")), ["'a'", "two"]),
        ((_step("a"), _step("b", "a", "ghost")), ["'b'", "'ghost'"]),
        ((_step("a", "a"),), ["a → a", "cycle"]),
        ((_step("a"), _step("b", "a", "d"), _step("c", "b"), _step("d", "c")), ["b", "c", "d", "cycle"]),
        ((_step("a"), Step(name="b", run=Flow("inner", (_step("a"),)))), ["'a'", "two"]),
        ((Step(name="b", run=Flow("inner", (_step("c"),))), _step("d", "c")), ["'d'", "'c'"]),
        ((_step("a b"),), ["'a b'", "letters"]),
        ((_step("end"),), ["'end'"]),
        ((_step("a", call=policy.RECALL, deadline=timedelta(seconds=1)),), ["'a'", "deadline"]),
    ],
    ids=[
        "duplicate",
        "unknown predecessor",
        "own successor",
        "cycle of three",
        "a sub-flow's step of the same name",
        "a predecessor inside a sub-flow",
        "no name",
        "a word of the drawing",
        "a deadline of what nothing interrupts",
    ],
)
def test_a_flow_that_cannot_run_cannot_be_built_and_the_error_names_the_step(
    declared: tuple[Step[object], ...], named: list[str]
) -> None:
    with pytest.raises(FlowError) as refused:
        Flow("broken", declared)
    assert [word for word in [*named, "broken"] if word not in str(refused.value)] == []


@pytest.mark.parametrize(
    "declared",
    [(), (_step("a"),), (_step("b", "a"), _step("a")), (_step("c", "a", "b"), _step("a"), _step("b", "a"))],
    ids=["empty", "one", "declared backwards", "triangle backwards"],
)
def test_any_acyclic_graph_can_be_built(declared: tuple[Step[object], ...]) -> None:
    assert Flow("fine", declared).steps == declared


def test_a_flow_draws_itself_as_mermaid() -> None:
    flow = Flow("drawn", (_step("a"), _step("b", "a", when=bool), _step("c", "a", "b")))
    assert flow.to_mermaid().splitlines() == [
        "flowchart LR",
        '  a["a"]',
        '  b{{"b<br/>if bool"}}',
        "  a --> b",
        '  c["c"]',
        "  a --> c",
        "  b --> c",
    ]


def test_a_drawing_tells_what_became_of_each_step() -> None:
    flow = Flow("drawn", (_step("a"), _step("b", "a", when=bool), _step("c", "b")))
    drawn = flow.to_mermaid((StepRecord(name="a", status="ran"), StepRecord(name="b", status="skipped")))
    assert '  a["a<br/>ran"]' in drawn
    assert '  b{{"b<br/>if bool<br/>skipped"}}' in drawn
    assert '  c["c"]' in drawn


def test_a_drawing_shows_what_waits_for_a_human_what_is_a_tool_and_what_is_a_flow_of_its_own() -> None:
    assert flows.SHORT.to_mermaid((StepRecord(name="ask", status="running"),)).splitlines() == [
        "flowchart LR",
        '  screen["screen"]',
        '  subgraph payment["payment<br/>if accepted"]',
        '    price["price"]',
        '    ask[/"ask<br/>if is_large<br/>a human within 0:00:01, else declined<br/>running"/]',
        "    price --> ask",
        '    pay[["pay<br/>if may_pay"]]',
        "    price --> pay",
        "    ask --> pay",
        "  end",
        "  screen --> payment",
        '  reply["reply"]',
        "  payment --> reply",
        '  deliver["deliver"]',
        "  reply --> deliver",
    ]


def test_the_default_flow_is_its_steps_in_a_row() -> None:
    assert [(step.name, step.after) for step in steps.DEFAULT.steps] == [
        ("screen", ()),
        ("listen", ("screen",)),
        ("afford", ("screen", "listen")),
        ("recall", ("afford",)),
        ("reply", ("recall",)),
        ("check", ("reply",)),
        ("deliver", ("check",)),
        ("learn", ("deliver",)),
        ("remember", ("deliver", "learn")),
    ]
    assert [step.name for step in steps.DEFAULT.steps if step.guarded] == ["deliver"]
    # Only what is pure may end a turn by failing; everything that leaves the process has somewhere to fall.
    assert [step.name for step in steps.DEFAULT.steps if step.fallback is None] == ["screen", "afford", "check"]


def _of_activity(cause: BaseException) -> ActivityError:
    error = ActivityError(
        "activity error",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="deliver",
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("bad"), "ValueError: bad"),
        (ValueError(), "ValueError"),
        (ApplicationError("slow down", type="rate_limit"), "rate_limit: slow down"),
        (_of_activity(ApplicationError("slow down", type="rate_limit")), "rate_limit: slow down"),
    ],
    ids=["exception", "bare exception", "application error", "activity that failed"],
)
def test_a_reason_is_the_innermost_cause_by_its_name(error: BaseException, reason: str) -> None:
    assert reason_of(error) == reason


@pytest.mark.parametrize("kind", list(TimeoutType))
def test_a_time_out_is_named_to_the_operator_not_numbered(kind: TimeoutType) -> None:
    late = exceptions.TimeoutError("activity timeout", type=kind, last_heartbeat_details=[])
    named, _, text = reason_of(_of_activity(late)).partition(": ")
    assert text == "activity timeout"
    assert not named.isdigit()
