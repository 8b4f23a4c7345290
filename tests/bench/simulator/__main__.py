"""`python -m tests.bench.simulator`: messages a second, processor time and memory. Exit code 1 if a status was lost,
doubled or out of order."""

from __future__ import annotations

import argparse
import asyncio
import os
from dataclasses import fields

from rich.console import Console
from rich.table import Table

from cli.processes import ServiceFailed
from tests.bench.simulator.measure import Options, Result, run

_HELP = {
    "messages": "messages to send, in all",
    "blocks": "parts that are measured one by one",
    "at_once": "calls that wait at the same time",
    "people": "recipients",
    "retain": "messages and records that the simulator keeps",
}


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.simulator", description=__doc__)
    for field in fields(Options):
        if field.name == "data":
            parser.add_argument("--data", action="store_true", help="with a journal on disk")
        else:
            name = f"--{field.name.replace('_', '-')}"
            parser.add_argument(name, type=int, default=field.default, help=f"{_HELP[field.name]} [{field.default}]")
    return Options(**vars(parser.parse_args()))


def _show(console: Console, result: Result) -> None:
    table = Table("block", "messages", "a second", "CPU ms each", "a CPU second", "memory MiB")
    for number, block in enumerate(result.blocks, 1):
        table.add_row(
            str(number),
            str(block.messages),
            f"{block.messages / block.wall:.0f}",
            f"{block.cpu / block.messages * 1000:.2f}",
            f"{block.messages / block.cpu:.0f}",
            f"{block.memory:.0f}",
        )
    console.print(table)
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    console.print(f"{result.callbacks} callbacks; {result.kept} messages kept; load of the machine {load}")
    for fault in result.faults[:10]:
        console.print(fault, style="red", markup=False)


def main() -> int:
    """Run, print, and say how it went."""
    options, progress = _options(), Console(stderr=True, highlight=False)
    try:
        result = asyncio.run(run(options, lambda doing: progress.print(doing, style="dim")))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except (ServiceFailed, RuntimeError, AssertionError) as failure:
        progress.print(str(failure), style="red", markup=False)
        return 1
    _show(Console(), result)
    return 1 if result.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
