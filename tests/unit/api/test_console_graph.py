"""A flow as the console draws it: rows from top to bottom, with lanes for what runs side by side, and its times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from api.console import graph
from workflows.flow import Flow, Step
from workflows.state import StepRecord

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def nothing(_: Any) -> None: ...


def step(name: str, *after: str, run: Any = nothing) -> Step[Any]:
    return Step(name=name, run=run, after=after)


def ran(name: str, begins: int = 0, takes: int = 10, status: str = "ran") -> StepRecord:
    return StepRecord(name=name, status=status, started_at=START + timedelta(milliseconds=begins), milliseconds=takes)


def lanes(drawn: graph.Graph) -> dict[str, float]:
    return {node.name: (node.x - drawn.nodes[0].x) / graph.LANE for node in drawn.nodes}


def test_what_runs_beside_each_other_has_lanes_of_its_own_and_comes_together_again() -> None:
    flow = Flow("both", (step("ask"), step("one", "ask"), step("other", "ask"), step("say", "one", "other")))
    drawn = graph.draw(flow, [ran(name) for name in ("ask", "one", "other", "say")])

    assert lanes(drawn) == {"ask": 0, "one": 0, "other": 1, "say": 0}
    assert len(drawn.edges) == 4
    assert all(is_ran for _, is_ran in drawn.edges)
    assert [node.y for node in drawn.nodes] == sorted(node.y for node in drawn.nodes)
    assert drawn.height == 4 * graph.ROW


def test_a_step_that_is_declared_before_what_it_waits_for_is_drawn_below_it() -> None:
    drawn = graph.draw(Flow("late", (step("last", "first"), step("first"))), [])

    assert [node.name for node in drawn.nodes] == ["first", "last"]
    assert [node.status for node in drawn.nodes] == ["never", "never"]


def test_a_flow_within_a_flow_is_set_in_between_what_is_before_and_after_it() -> None:
    inner: Flow[Any] = Flow("inner", (step("weigh"), step("pay", "weigh")))
    drawn = graph.draw(Flow("outer", (step("ask"), step("refund", "ask", run=inner), step("say", "refund"))), [])

    assert [(node.name, node.depth) for node in drawn.nodes] == [
        ("ask", 0), ("refund", 0), ("weigh", 1), ("pay", 1), ("say", 0)
    ]  # fmt: skip
    assert len(drawn.edges) == 4, "one chain: from what ends within to what follows"


def test_an_edge_to_what_was_skipped_is_none_that_ran_and_times_are_shares_of_the_whole() -> None:
    flow = Flow("chain", (step("a"), step("b", "a"), step("c", "b")))
    skipped = StepRecord(name="b", status="skipped", reason="not b")
    drawn = graph.draw(flow, [ran("a", 0, 25), skipped, ran("c", 25, 75, "fell back")])

    assert [is_ran for _, is_ran in drawn.edges] == [False, False]
    assert [(node.start, node.length) for node in drawn.nodes] == [(0, 25), (0, 0), (25, 75)]
    assert [node.status for node in drawn.nodes] == ["ran", "skipped", "fell-back"]


def test_without_its_flow_a_turn_is_the_chain_of_what_ran() -> None:
    drawn = graph.draw(None, [ran("a"), ran("b"), ran("c")])

    assert lanes(drawn) == {"a": 0, "b": 0, "c": 0}
    assert len(drawn.edges) == 2
