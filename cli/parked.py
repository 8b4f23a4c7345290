"""`messaging parked`: turns that failed, and what is to become of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from cli.conversations import DATA, AsJson, By, Data, Id, print_json, run, when

app = typer.Typer(help="Turns that failed: list them, run them again, let them go.", no_args_is_help=True)

Turn = Annotated[int, typer.Argument(min=1, help="The turn's number, as listed")]


@app.command("list")
def list_(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most conversations")] = 200,
    as_json: AsJson = False,
    data_dir: Data = DATA,
) -> None:
    """All of them, without what was said; conversations that do not answer last."""

    async def look(directory: Any) -> tuple[list[Any], list[str]]:
        page = await directory.parked(limit=limit)
        return list(page.items), list(page.silent)

    items, silent = run(data_dir, look)
    if as_json:
        rows = [
            {
                "conversation_id": item.conversation_id,
                "channel": item.channel,
                "contact_id": item.contact_id,
                **asdict(item.turn),
            }
            for item in items
        ]
        print_json({"items": rows, "silent": silent})
        return
    for item in items:
        turn = item.turn
        sent = ", its answer may have left" if turn.sent else ""
        typer.echo(f"{item.conversation_id} turn {turn.turn}, {when(turn.at)}, {turn.texts} texts{sent}: {turn.reason}")
    for conversation in silent:
        typer.echo(f"{conversation} does not answer: `messaging doctor` says why")
    if not items and not silent:
        typer.echo("no turn is parked")


@app.command()
def retry(
    conversation_id: Id,
    turn: Turn,
    by: By,
    *,
    even_if_sent: Annotated[
        bool, typer.Option("--even-if-sent", help="The person may have the answer already")
    ] = False,
    as_json: AsJson = False,
    data_dir: Data = DATA,
) -> None:
    """Run a parked turn's texts again, as a turn of their own."""
    from workflows.parked import Retry  # noqa: PLC0415 - other commands do not pay for it

    request = Retry(turn=turn, by=by, even_if_sent=even_if_sent)
    run(data_dir, lambda directory: directory.retry_turn(conversation_id, request))
    _tell("retried", conversation_id, turn, as_json=as_json)


@app.command()
def drop(conversation_id: Id, turn: Turn, by: By, *, as_json: AsJson = False, data_dir: Data = DATA) -> None:
    """Let a parked turn go: nothing more is done for its texts, and they are not kept."""
    from workflows.parked import Drop  # noqa: PLC0415 - other commands do not pay for it

    run(data_dir, lambda directory: directory.drop_turn(conversation_id, Drop(turn=turn, by=by)))
    _tell("dropped", conversation_id, turn, as_json=as_json)


def _tell(what: str, conversation_id: str, turn: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"conversation_id": conversation_id, "turn": turn, "done": what})
    else:
        typer.echo(f"{what}: turn {turn} of {conversation_id}")
