"""The table: each figure of ours next to the bare workflow's, and their ratio."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Sequence

import temporalio.service
from rich.console import Console
from rich.table import Table

from tests.bench.contest import Measured, Options, Result
from tests.bench.crowd import Exchange
from tests.bench.histories import Tally
from tests.bench.row import DRIVER

Figure = Callable[[Measured], float | None]

_PERCENTILES = (50, 95, 99)


def show(console: Console, result: Result, options: Options) -> None:
    """Print all of it."""
    table = Table(title="One text, one answer: ours next to a bare workflow on the same server", caption=_caption())
    table.add_column("")
    for name in ("ours", "bare", "ours / bare"):
        table.add_column(name, justify="right")
    for title, figures in _sections(result, options):
        table.add_section()
        table.add_row(f"[bold]{title}[/bold]")
        for label, figure in figures:
            _add(table, label, figure(result.ours), figure(result.bare))
    console.print(table)
    for measured in (result.ours, result.bare):
        if failed := measured.tallies.quiet.failed + measured.tallies.busy.failed:
            console.print(f"[yellow]note[/yellow]   {measured.row.crowd.name}: {failed} local activities failed")
    for fault in result.faults:
        console.print(f"[red]wrong[/red]  {fault}", highlight=False)
    if not result.faults:
        sent = len(result.ours.row.crowd.exchanges) + len(result.bare.row.crowd.exchanges)
        console.print(f"All {sent} texts were answered exactly once, each person's in order.", highlight=False)


def _sections(result: Result, options: Options) -> list[tuple[str, list[tuple[str, Figure]]]]:
    quiet, busy, processes = len(result.ours.row.quiet), len(result.ours.row.busy), list(result.ours.row.pids)
    return [
        (
            f"Quiet: {options.rate:g} texts a second, {quiet} texts, ms",
            [*_latency("text in → provider call", _answer), *_latency("text in → ack", _ack)],
        ),
        ("Quiet: history per text", _history(result, lambda m: (m.tallies.quiet, len(m.row.quiet)))),
        (
            f"Saturated: {options.people} people, closed loop, {busy} texts",
            [
                ("answers per second", lambda m: len(m.row.busy) / m.row.busy_seconds),
                ("text in → provider call p50, ms", lambda m: _percentile(m.row.busy, _answer, 50)),
            ],
        ),
        ("Saturated: CPU ms per text", [(name, _cpu(name)) for name in (*processes, DRIVER)]),
        ("Saturated: history per text", _history(result, lambda m: (m.tallies.busy, len(m.row.busy)))),
        (
            "Changing runs: history per text, all texts",
            _history(result, lambda m: (m.tallies.rollover, len(m.row.quiet) + len(m.row.busy))),
        ),
        ("Idle: CPU ms per second", [(name, lambda m, name=name: m.row.idle.get(name)) for name in processes]),
    ]


def _history(result: Result, of: Callable[[Measured], tuple[Tally, int]]) -> list[tuple[str, Figure]]:
    kinds = sorted({*of(result.ours)[0].actions, *of(result.bare)[0].actions})

    def per_text(count: Callable[[Tally], int]) -> Figure:
        return lambda m: count(of(m)[0]) / of(m)[1] if of(m)[1] else None

    return [
        ("events", per_text(lambda t: t.events)),
        ("bytes", per_text(lambda t: t.size)),
        ("Temporal Actions", per_text(lambda t: t.actions.total())),
        *((f"  {kind}", per_text(lambda t, kind=kind: t.actions[kind])) for kind in kinds),
    ]


def _add(table: Table, label: str, ours: float | None, bare: float | None) -> None:
    ratio = f"{ours / bare:.2f}" if ours is not None and bare else ""
    table.add_row(label, _number(ours), _number(bare), ratio)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _latency(label: str, of: Callable[[Exchange], int]) -> list[tuple[str, Figure]]:
    return [(f"{label} p{share}", lambda m, share=share: _percentile(m.row.quiet, of, share)) for share in _PERCENTILES]


def _answer(exchange: Exchange) -> int:
    return exchange.arrived - exchange.sent


def _ack(exchange: Exchange) -> int:
    return exchange.acked - exchange.sent


def _percentile(exchanges: Sequence[Exchange], of: Callable[[Exchange], int], share: int) -> float | None:
    """Milliseconds, by nearest rank."""
    values = sorted(of(exchange) for exchange in exchanges)
    return values[max(0, math.ceil(share / 100 * len(values)) - 1)] / 1e6 if values else None


def _cpu(name: str) -> Figure:
    return lambda m: m.row.milliseconds[name] / len(m.row.busy) if m.row.busy and name in m.row.milliseconds else None


def _caption() -> str:
    one, five, _ = os.getloadavg()
    python, sdk = platform.python_version(), temporalio.service.__version__
    return f"{os.cpu_count()} cores, load {one:.1f} ({five:.1f} over 5 min), Python {python}, temporalio {sdk}"
