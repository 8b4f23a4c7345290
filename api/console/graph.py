"""A flow as a drawing: its steps as rows from top to bottom, each on a lane, with the edges between them.

The drawing is made here, in units of the picture: a row is `ROW` high, lanes are `LANE` apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from workflows.flow import Flow, Step
from workflows.state import StepRecord

ROW = 44
LANE = 18
_LEFT = 12
# How far an edge bends before it is on its lane.
_BEND = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step. `start` and `length` are its share of the turn's time, in per cent; `record` is None if it never began.

    `depth` counts the flows that it is inside of. `condition` is what had to be so.
    """

    name: str
    x: float
    y: float
    record: StepRecord | None
    condition: str = ""
    label: str = ""
    depth: int = 0
    start: float = 0
    length: float = 0

    @property
    def status(self) -> str:
        """In a word that a style can be named after."""
        return self.record.status.replace(" ", "-") if self.record else "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes from top to bottom, and paths (of SVG) between them, with whether both ends ran."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, bool], ...]
    width: float

    @property
    def height(self) -> int:
        """Of the whole picture."""
        return ROW * len(self.nodes)


@dataclass(slots=True, kw_only=True)
class _Spot:
    step: Step[Any] | None
    before: tuple[str, ...]
    depth: int = 0


def draw(flow: Flow[Any] | None, records: Sequence[StepRecord]) -> Graph:
    """The flow with what became of each step; without a flow, the steps in the order in which they began."""
    spots = dict(_spots(flow.steps, (), 0)) if flow else _chain(records)
    order = list(TopologicalSorter({name: spot.before for name, spot in spots.items()}).static_order())
    # Of all orders that are right, the one closest to the declaration.
    place = {name: n for n, name in enumerate(spots)}
    order = _stable(order, spots, place)
    rows = {name: n for n, name in enumerate(order)}
    lanes, edges = _lanes(order, spots)
    became = {record.name: record for record in records}
    spread = _shares(records)
    nodes = tuple(_node(name, spots[name], rows[name], lanes[name], became.get(name), spread) for name in order)
    ran = {name for name, record in became.items() if record.status != "skipped"}
    paths = tuple(
        (_path(rows[one], lanes[one], rows[other], lanes[other], lane), one in ran and other in ran)
        for one, other, lane in edges
    )
    width = _LEFT * 2 + LANE * max((*lanes.values(), *(lane for _, _, lane in edges)), default=0)
    return Graph(nodes=nodes, edges=paths, width=width)


def _spots(steps: Sequence[Step[Any]], roots: tuple[str, ...], depth: int) -> Iterator[tuple[str, _Spot]]:
    """Every step with those it comes after; a sub-flow's begin after its step, and what follows that waits for them."""
    ends: dict[str, tuple[str, ...]] = {}
    for step in steps:
        inner = step.run.steps if isinstance(step.run, Flow) else ()
        before = tuple(end for name in step.after for end in ends.get(name, (name,))) or roots
        yield step.name, _Spot(step=step, before=before, depth=depth)
        if inner:
            yield from _spots(inner, (step.name,), depth + 1)
            followed = {name for one in inner for name in one.after}
            ends[step.name] = tuple(one.name for one in inner if one.name not in followed)


def _chain(records: Sequence[StepRecord]) -> dict[str, _Spot]:
    names = [record.name for record in records]
    return {name: _Spot(step=None, before=tuple(names[n - 1 : n])) for n, name in enumerate(names)}


def _stable(order: Sequence[str], spots: Mapping[str, _Spot], place: Mapping[str, int]) -> list[str]:
    left, done = sorted(order, key=place.__getitem__), list[str]()
    while left:
        due = next(name for name in left if all(before in done for before in spots[name].before))
        left.remove(due)
        done.append(due)
    return done


def _lanes(order: Sequence[str], spots: Mapping[str, _Spot]) -> tuple[dict[str, int], list[tuple[str, str, int]]]:
    """The lane of each step and of each edge. An edge keeps its lane free from its first row to its last."""
    after: dict[str, list[str]] = {name: [] for name in order}
    for name in order:
        for before in spots[name].before:
            after[before].append(name)
    taken: dict[int, str] = {}  # lane → where its edge leads
    lanes: dict[str, int] = {}
    edges: list[tuple[str, str, int]] = []
    for name in order:
        arriving = [lane for lane, target in taken.items() if target == name]
        lanes[name] = min(arriving, default=_free(taken))
        taken = {lane: target for lane, target in taken.items() if target != name}
        for n, follower in enumerate(after[name]):
            lane = lanes[name] if n == 0 else _free(taken)
            taken[lane] = follower
            edges.append((name, follower, lane))
    return lanes, edges


def _free(taken: Mapping[int, str]) -> int:
    return next(lane for lane in range(len(taken) + 1) if lane not in taken)


def _path(row: int, lane: int, last_row: int, last_lane: int, way: int) -> str:
    x, y, end_x, end_y, way_x = _x(lane), _y(row), _x(last_lane), _y(last_row), _x(way)
    down = f"M{x} {y}"
    if way_x != x:
        down += f"C{x} {y + _BEND / 2} {way_x} {y + _BEND / 2} {way_x} {y + _BEND}"
    if way_x != end_x:
        middle = end_y - _BEND / 2
        return f"{down}V{end_y - _BEND}C{way_x} {middle} {end_x} {middle} {end_x} {end_y}"
    return f"{down}V{end_y}"


def _node(
    name: str,
    spot: _Spot,
    row: int,
    lane: int,
    record: StepRecord | None,
    shares: Mapping[str, tuple[float, float]],
) -> Node:
    start, length = shares.get(name, (0.0, 0.0))
    when = spot.step.when if spot.step else None
    condition = getattr(when, "__name__", "") if when else ""
    return Node(
        name=name,
        x=_x(lane),
        y=_y(row),
        record=record,
        condition=condition if condition.isidentifier() else "",
        label=str(getattr(spot.step.run, "label", "")) if spot.step else "",
        depth=spot.depth,
        start=start,
        length=length,
    )


def _shares(records: Sequence[StepRecord]) -> dict[str, tuple[float, float]]:
    """When each step began and how long it ran, in per cent of them all."""
    begun = [(record.name, record.started_at, record.milliseconds) for record in records if record.started_at]
    if not begun:
        return {}
    first = min(at for _, at, _ in begun)
    offsets = {name: ((at - first).total_seconds() * 1000, float(length)) for name, at, length in begun}
    total = max(offset + length for offset, length in offsets.values()) or 1.0
    return {
        name: (round(100 * offset / total, 2), round(100 * length / total, 2))
        for name, (offset, length) in offsets.items()
    }


def _x(lane: int) -> float:
    return _LEFT + LANE * lane


def _y(row: int) -> float:
    return ROW * row + ROW / 2
