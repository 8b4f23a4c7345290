"""The figures, as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from tests.bench.memory.load import Load, percentile
from tests.bench.memory.measure import Answered, Found
from tests.bench.memory.people import Person
from tests.bench.memory.systems import TOP

T = TypeVar("T")

# What the product's own specification asks for.
FOLLOW_UPS, SWITCHED = 0.90, 1.0


def rate(rows: Iterable[T], holds: Callable[[T], bool]) -> float:
    """The part of the rows of which it holds; 1 where there are none."""
    rows = list(rows)
    return sum(holds(row) for row in rows) / len(rows) if rows else 1.0


def follow_ups(answered: Sequence[Answered]) -> float:
    """Of the questions that have an answer in what was said before: how many were answered rightly."""
    return rate((row for row in answered if row.question.answer), lambda row: row.right)


def switched(answered: Sequence[Answered]) -> float:
    """Of those told by another channel than they are asked on: how many had what was told before the agent."""
    rows = (row for row in answered if row.question.answer and row.question.channel != row.question.told_on)
    return rate(rows, lambda row: row.known)


def honest(answered: Sequence[Answered]) -> float:
    """Of the questions about what was never told: how many were answered with "I don't know"."""
    return rate((row for row in answered if not row.question.answer), lambda row: row.right)


def show(
    console: Console, people: Sequence[Person], found: dict[str, list[Found]], answered: Sequence[Answered], load: Load
) -> None:
    """Everything, on one screen."""
    questions = [question for person in people for question in person.questions]
    said = sum(len(person.said) for person in people)
    console.print(
        f"{len(people)} people, {len({q.channel for q in questions})} channels, {said} messages, "
        f"{len(questions)} questions, {sum(q.kind == 'changed' for q in questions)} of them about what changed, "
        f"{sum(not q.answer for q in questions)} without an answer\n"
    )
    console.print(_recall(found))
    console.print(
        f"\nfollow-ups answered rightly {follow_ups(answered):.1%} (asked for: {FOLLOW_UPS:.0%}), "
        f"context kept over a channel switch {switched(answered):.1%} (asked for: {SWITCHED:.0%}), "
        f'"I don\'t know" where nothing was told {honest(answered):.1%}\n'
    )
    console.print(_speed(load))


def _recall(found: dict[str, list[Found]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    kinds = sorted({row.question.kind for rows in found.values() for row in rows})
    for heading in ("", f"recall@{TOP}", "answer present", "old before new", *kinds):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, rows in found.items():
        changed = [row for row in rows if row.question.stale]
        by_kind = (rate((r for r in rows if r.question.kind == kind), lambda r: r.evidence) for kind in kinds)
        figures = (
            rate(rows, lambda row: row.evidence),
            rate(rows, lambda row: row.answer),
            rate(changed, lambda row: row.stale_first),
            *by_kind,
        )
        table.add_row(name, *(f"{figure:.1%}" for figure in figures))
    return table


def _speed(load: Load) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    title = f"{load.memories:,} memories of {load.people:,} people"
    for heading in (title, "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(heading, justify="left" if heading == title else "right")
    for name, times in (("search", load.searches), ("search and embedding", load.recalls)):
        table.add_row(name, *(f"{percentile(times, part):.1f}" for part in (0.50, 0.95, 0.99)))
    return table
