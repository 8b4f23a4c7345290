"""`python -m tests.bench`: the whole comparison in one run. Exit code 1 if a text was lost, doubled or out of order."""

from __future__ import annotations

import argparse
import asyncio
import signal
from dataclasses import asdict, fields

from rich.console import Console

from cli.processes import ServiceFailed
from tests.bench import contest, report
from tests.bench.contest import Options, Result

_HELP = {
    "messages": "texts at saturation, for each row",
    "people": "people who text at the same time",
    "rate": "texts a second at the quiet pace",
    "seconds": "length of the quiet pace, for each row",
    "rounds": "the rows take turns this many times",
    "seed": "of the words that are texted",
}


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    for field in fields(Options):
        kind = type(field.default)
        parser.add_argument(
            f"--{field.name}", type=kind, default=field.default, help=f"{_HELP[field.name]} [{field.default}]"
        )
    given = Options(**vars(parser.parse_args()))
    if wrong := [f"--{name}: more than 0 expected" for name, value in asdict(given).items() if value <= 0]:
        parser.error("; ".join(wrong))
    return given


async def _run(options: Options, console: Console) -> Result:
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await contest.run(options, lambda doing: console.print(doing, style="dim"))


def main() -> int:
    """Run, print, and say how it went."""
    options, progress = _options(), Console(stderr=True, highlight=False)
    try:
        result = asyncio.run(_run(options, progress))
    except (asyncio.CancelledError, KeyboardInterrupt):
        return 130
    except (ServiceFailed, RuntimeError) as failure:
        progress.print(str(failure), style="red", markup=False)
        return 1
    report.show(Console(), result, options)
    return 1 if result.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
