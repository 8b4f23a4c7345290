"""What came of a run: as a table, as JSON for programs, and as a page for people."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.chaos import schedule
from tests.chaos.storm import Outcome
from tests.chaos.verdict import share


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Of one case. `said` is what it measured, or why it failed."""

    name: str
    line: str
    held: bool
    said: str
    seconds: float


def show_cases(console: Console, results: list[Result]) -> None:
    """The fault table, each line with its cases."""
    table = Table(title="The fault table", show_lines=False)
    for column in ("fault", "case", "", "s", "what was seen"):
        table.add_column(column, justify="right" if column == "s" else "left")
    line = ""
    for result in results:
        if result.line != line:
            table.add_section()
        mark = "[green]held[/green]" if result.held else "[red]BROKEN[/red]"
        shown = result.line if result.line != line else ""
        table.add_row(shown, result.name, mark, f"{result.seconds:.0f}", _plain(result.said))
        line = result.line
    console.print(table)


def show_storm(console: Console, outcome: Outcome) -> None:
    """The random part."""
    options = outcome.options
    title = f"{options.seconds / 60:g} minutes of chaos, seed {options.seed}"
    table = Table(title=title, caption=f"to repeat it: {_command(outcome)}")
    for column in ("fault", "times", "away p50", "recovery p50", "max"):
        table.add_column(column, justify="left" if column == "fault" else "right")
    for row in _faults(outcome):
        cells = (row["away_p50"], row["recovery_p50"], row["recovery_max"])
        table.add_row(row["kind"], str(row["times"]), *("-" if cell is None else f"{cell:.1f} s" for cell in cells))
    console.print(table)
    for name, value in _counts(outcome).items():
        console.print(f"{name.replace('_', ' '):<32}{value}", highlight=False)
    for wrong in outcome.wrong:
        console.print(f"[red]wrong[/red]  {wrong}", highlight=False)
    if not outcome.wrong:
        console.print("Every text was answered exactly once, each conversation's in order.", highlight=False)


def write(path: Path, results: list[Result], outcome: Outcome | None) -> None:
    """As JSON, and next to it as Markdown."""
    report: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": metadata.version("durable-conversations"),
        "cases": [asdict(result) for result in results],
    }
    if outcome is not None:
        report["chaos"] = {
            "command": _command(outcome),
            "options": asdict(outcome.options),
            "counts": _counts(outcome),
            "faults": _faults(outcome),
            "wrong": outcome.wrong,
            "struck": [{**asdict(one.fault), "began": one.began, "ended": one.ended} for one in outcome.struck],
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    path.with_suffix(".md").write_text(_page(report))


def _counts(outcome: Outcome) -> dict[str, Any]:
    verdict = outcome.verdict
    waited = list(verdict.waited.values())
    return {
        "messages_in": verdict.texts,
        "answers_out": verdict.messages,
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "out_of_order": len(verdict.reordered),
        "unaccounted": len(outcome.unaccounted),
        "in_the_ledger": ", ".join(f"{count} {state}" for state, count in sorted(outcome.states.items()) if count),
        "recovered_by_a_sweep_at_the_end": outcome.recovered,
        "starts_that_failed": len(outcome.failed_starts),
        "overtaken_on_their_way_to_us": len(verdict.overtaken),
        "faults": len(outcome.struck),
        "texts_a_second": round(verdict.texts / outcome.options.seconds, 2),
        "text_to_answer_p50": _p(waited, 0.5),
        "text_to_answer_p95": _p(waited, 0.95),
        "text_to_answer_max": _p(waited, 1),
    }


def _faults(outcome: Outcome) -> list[dict[str, Any]]:
    """By kind: how often, how long it lasted, and seconds until all was answered that it held up."""
    times = Counter(one.fault.kind for one in outcome.struck)
    rows = []
    for kind in (kind for kind in schedule.KINDS if times[kind]):
        recoveries = outcome.recoveries(kind)
        away = [one.ended - one.began for one in outcome.struck if one.fault.kind == kind]
        rows.append(
            {
                "kind": kind,
                "times": times[kind],
                "away_p50": _p(away, 0.5) if kind in schedule.PROCESSES else None,
                "recovery_p50": _p(recoveries, 0.5),
                "recovery_max": _p(recoveries, 1),
            }
        )
    return rows


def _page(report: dict[str, Any]) -> str:
    """Markdown."""
    lines = [f"# Chaos report of {report['at'][:10]}", ""]
    if chaos := report.get("chaos"):
        lines += [f"`{chaos['command']}`", "", "| | |", "|---|---|"]
        lines += [f"| {name.replace('_', ' ')} | {value} |" for name, value in chaos["counts"].items()]
        lines += ["", "| Fault | Times | Away p50, s | Recovery p50, s | max, s |", "|---|---|---|---|---|"]
        for row in chaos["faults"]:
            cells = (row["away_p50"], row["recovery_p50"], row["recovery_max"])
            lines.append(
                f"| {row['kind']} | {row['times']} | {' | '.join('-' if c is None else str(c) for c in cells)} |"
            )
        lines += ["", *(f"- **wrong**: {wrong}" for wrong in chaos["wrong"])]
    if report["cases"]:
        lines += ["", "| Fault | Case | Result | What was seen |", "|---|---|---|---|"]
        for case in report["cases"]:
            said = case["said"].replace("|", "\\|").replace("\n", " ")
            lines.append(f"| {case['line']} | `{case['name']}` | {'held' if case['held'] else '**broken**'} | {said} |")
    return "\n".join(lines).rstrip() + "\n"


def _command(outcome: Outcome) -> str:
    options = outcome.options
    of_all = f"SEED={options.seed} RATE={options.rate:g} EVERY={options.every:g}"
    return f"make chaos CASES=none MINUTES={options.seconds / 60:g} {of_all}"


def _p(values: list[float], part: float) -> float | None:
    return round(share(values, part), 1) if values else None


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
