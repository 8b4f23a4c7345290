"""`python -m tests.chaos`: the fault table case by case, then random chaos. Exit code 1 if a promise was not kept."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import tempfile
import time
from pathlib import Path

from rich.console import Console

from cli.processes import ServiceFailed
from tests.chaos import report
from tests.chaos.case import Case
from tests.chaos.cases import CASES
from tests.chaos.ground import Ground, opened
from tests.chaos.report import Result
from tests.chaos.storm import Options, Outcome, Storm

# A case that takes longer than this is broken; the drain of ten thousand takes longest.
_CASE_SECONDS = 1800


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--cases", default="all", help="names by comma, each may be a beginning; all, quick or none [all]"
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="of random chaos after the cases; 0 for none [1]")
    parser.add_argument("--seed", type=int, default=7, help="of the random chaos [7]")
    parser.add_argument("--rate", type=float, default=5.0, help="texts a second in it [5]")
    parser.add_argument("--every", type=float, default=8.0, help="seconds from fault to fault, on average [8]")
    parser.add_argument("--report", type=Path, default=Path("chaos-report.json"), help="JSON; a .md beside it")
    parser.add_argument(
        "--folder", type=Path, help="keep data and logs of all processes there; otherwise they are removed"
    )
    parser.add_argument("--list", action="store_true", help="print the cases and end")
    given = parser.parse_args()
    if given.minutes < 0 or given.rate <= 0 or given.every <= 0:
        parser.error("--minutes: 0 or more, --rate, --every: more than 0 expected")
    if given.cases not in {"all", "none", "quick"}:
        for name in given.cases.split(","):
            if not any(case.name.startswith(name) for case in CASES):
                parser.error(f"--cases: there is no {name}; there are {', '.join(case.name for case in CASES)}")
    return given


def chosen(names: str) -> list[Case]:
    """In the table's order."""
    match names:
        case "all":
            return list(CASES)
        case "none":
            return []
        case "quick":
            return [case for case in CASES if case.quick]
        case _:
            return [case for case in CASES if any(case.name.startswith(name) for name in names.split(","))]


async def run_case(case: Case, ground: Ground) -> Result:
    """One case, and everything mended after it."""
    began = time.monotonic()
    held, said = True, ""
    try:
        async with asyncio.timeout(_CASE_SECONDS):
            said = await case.run(ground)
    except Exception as error:  # noqa: BLE001 - whatever it is, the case is broken and the next one runs
        held, said = False, str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    taken = time.monotonic() - began
    await ground.mend()
    return Result(name=case.name, line=case.line, held=held, said=said, seconds=taken)


async def _run(given: argparse.Namespace, console: Console) -> tuple[list[Result], Outcome | None]:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    results: list[Result] = []
    outcome = None
    with (
        contextlib.nullcontext(given.folder) if given.folder else tempfile.TemporaryDirectory(prefix="chaos-") as folder
    ):
        cases = chosen(given.cases)
        if cases:
            console.print(f"starting all processes for {len(cases)} cases", style="dim")
            async with opened(Path(folder) / "cases") as ground:
                for case in cases:
                    console.print(f"{case.name} ...", style="dim", end=" ")
                    results.append(await run_case(case, ground))
                    console.print(
                        "held" if results[-1].held else f"BROKEN: {results[-1].said}", style="dim", markup=False
                    )
        if given.minutes:
            console.print(f"{given.minutes:g} minutes of random chaos, seed {given.seed}", style="dim")
            options = Options(seed=given.seed, seconds=given.minutes * 60, rate=given.rate, every=given.every)
            async with opened(Path(folder) / "storm") as ground:
                outcome = await Storm(ground, options).run()
    return results, outcome


def main() -> int:
    """Run, print, and say how it went."""
    given, progress, console = _options(), Console(stderr=True, highlight=False), Console()
    if given.list:
        for case in CASES:
            print(f"{case.name:<42}{case.line}")
        return 0
    try:
        results, outcome = asyncio.run(_run(given, progress))
    except (asyncio.CancelledError, KeyboardInterrupt):
        return 130
    except ServiceFailed as failed:
        progress.print(str(failed), style="red", markup=False)
        return 1
    if results:
        report.show_cases(console, results)
    if outcome is not None:
        report.show_storm(console, outcome)
    report.write(given.report, results, outcome)
    console.print(f"report: {given.report} and {given.report.with_suffix('.md')}", highlight=False)
    return 1 if any(not result.held for result in results) or (outcome and outcome.wrong) else 0


if __name__ == "__main__":
    raise SystemExit(main())
