"""`messaging replay`: would this conversation go on with the code of today?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.conversations import DATA, Data, find_temporal
from cli.endings import Away, Ending


def replay(
    conversation_id: Annotated[str | None, typer.Argument(help="A conversation's id", show_default=False)] = None,
    *,
    run: Annotated[str | None, typer.Option(help="Which run of it [default: the latest]")] = None,
    file: Annotated[list[Path] | None, typer.Option(help="Histories as JSON instead; may be repeated")] = None,
    data_dir: Data = DATA,
) -> None:
    """Run a history against this code, in memory: nothing is sent. Ends with 1 where it does not replay."""
    if bool(conversation_id) == bool(file):
        raise ValueError("give a conversation's id, or --file")
    clean = asyncio.run(_replay(conversation_id, run, file or [], data_dir))
    if not clean:
        raise typer.Exit(Ending.FAILED)


async def _replay(conversation_id: str | None, run: str | None, files: list[Path], data_dir: Path) -> bool:
    # Imported here: other commands do not pay for it.
    from temporalio.client import WorkflowHistory  # noqa: PLC0415
    from temporalio.service import RPCError  # noqa: PLC0415

    from runtime import flows, replaying, temporal  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415

    flows.install(load())
    histories = [(str(path), WorkflowHistory.from_json(path.stem, path.read_text())) for path in files]
    if conversation_id is not None:
        find_temporal(data_dir)
        try:
            handle = (await temporal.connect()).get_workflow_handle(conversation_id, run_id=run)
            histories = [(conversation_id, await handle.fetch_history())]
        except RPCError as error:
            raise ValueError(f"there is no history of this conversation: {error.message}") from None
        except RuntimeError:
            raise Away("Temporal does not answer; is it running, and is TEMPORAL_ADDRESS right?") from None
    clean = True
    for name, history in histories:
        found = await replaying.replay(history)
        clean = clean and found.is_clean
        if found.is_clean:
            typer.echo(f"{name}: replays, {found.events} events")
            continue
        typer.echo(
            f"{name}: does not replay; it breaks among the events {found.first} to {found.last} of {found.events}"
        )
        for kind in found.kinds:
            typer.echo(f"  {kind}")
        typer.echo(f"  {found.error}")
    return clean
