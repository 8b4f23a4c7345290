"""`messaging memory`: what becomes of everything that is remembered when the embedder changes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.contacts import DATA, AsJson, Data, find
from cli.endings import Away

app = typer.Typer(name="memory", help="What is remembered, as it is kept in Qdrant.", no_args_is_help=True)


@app.callback()
def memory() -> None:
    """Keep `reembed` a command of its own; typer would make a single one the whole."""


@app.command()
def reembed(*, as_json: AsJson = False, data_dir: Data = DATA) -> None:
    """Write all vectors anew by the embedder of today, memories and knowledge. Stop the workers first.

    Nothing is lost when it is cut short: say it again, and it goes on.
    """
    done = _run(data_dir)
    if as_json:
        typer.echo(json.dumps(done))
        return
    for name, made in done.items():
        typer.echo(f"{name}: {made['points']} points, {made['embedded']} embedded now")


def _run(data_dir: Path) -> dict[str, Any]:
    from memory.store import MemoryUnavailable  # noqa: PLC0415 - other commands do not pay for it
    from runtime.remembering import reembed as all_of_it  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415

    find(data_dir)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def tell(name: str, done: int, of: int) -> None:
            task = next((one for one in progress.tasks if one.description == name), None)
            progress.update(task.id if task else progress.add_task(name), completed=done, total=of)

        try:
            made = asyncio.run(all_of_it(load(), tell))
        except MemoryUnavailable as error:
            raise Away(f"QDRANT_URL: {error.reason}; what is done stays done, say it again to go on") from error
    return {name: asdict(one) for name, one in made.items()}
