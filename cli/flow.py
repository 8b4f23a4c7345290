"""`messaging flow`: draw a flow, and say whether conversations can run it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

app = typer.Typer(help="The steps of a turn: draw them, check them.", no_args_is_help=True)

Path = Annotated[
    str | None, typer.Argument(help="module:name of a Flow or several [default: MESSAGING_FLOW]", show_default=False)
]


@app.command()
def draw(path: Path = None) -> None:
    """Print a Mermaid flowchart of the flow in use."""
    typer.echo(_flows(path)[0].to_mermaid())


@app.command()
def check(path: Path = None) -> None:
    """Import the flows as a worker would, inside the workflow sandbox too, and name what is wrong."""
    from runtime.temporal import check_sandbox  # noqa: PLC0415 - as below

    found = _flows(path)
    asyncio.run(check_sandbox())
    for flow in found:
        tools = ", ".join(sorted(flow.all_tools())) or "none"
        typer.echo(f"{flow.ref}: {len(list(flow.tree()))} steps, tools: {tools}")


def _flows(path: str | None) -> tuple[Any, ...]:
    # Imported here: the other commands do not pay for it.
    from runtime import flows  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415
    from workflows import catalogue, steps  # noqa: PLC0415

    if path is None and (path := load().messaging_flow) is None:
        return (steps.DEFAULT,)
    found = flows.load(path)
    catalogue.install(found, path)
    return found
