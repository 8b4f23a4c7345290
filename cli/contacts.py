"""`messaging contacts`: what is known of a person, which ids are theirs, and how to forget them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.endings import Away

app = typer.Typer(help="People: show, merge, unmerge, forget.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="A contact's id, or an address: +15550100001, whatsapp:+15550100001")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
Data = Annotated[Path, typer.Option("--data-dir", help="Folder of a running `messaging dev`; set variables win")]
By = Annotated[str, typer.Option("--by", help="Who says so; kept with it")]
DATA = Path(".messaging")


@app.command()
def show(who: Who, *, as_json: AsJson = False, data_dir: Data = DATA) -> None:
    """Ids, facts, and how much is remembered, by channel. No message is printed."""
    found = _run(data_dir, lambda people: people.show(who))
    if as_json:
        _print_json(found)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name in ("contact_ids", "memories", "channels", "conversations", "first_at", "last_at"):
        table.add_row(Text(name, style="dim"), _plain(found[name]))
    for fact in found["facts"]:
        table.add_row(Text("fact", style="dim"), Text(f"{fact['text']} ({fact['at']:%Y-%m-%d}, {fact['channel']})"))
    for link in found["links"]:
        ended = f", ended by {link['ended_by']} {link['ended_at']:%Y-%m-%d}" if link["ended_at"] else ""
        text = f"{link['one']} = {link['other']}: by {link['by']} {link['at']:%Y-%m-%d} {link['reason']}{ended}"
        table.add_row(Text("link", style="dim"), Text(text))
    Console(highlight=False, soft_wrap=True).print(table)


@app.command()
def merge(
    who: Who,
    other: Who,
    *,
    by: By,
    reason: Annotated[str, typer.Option(help="Why; kept with it")] = "",
    as_json: AsJson = False,
    data_dir: Data = DATA,
) -> None:
    """Say that two contacts are one person. Nothing is rewritten: `unmerge` takes it back."""
    done = _run(data_dir, lambda people: people.merge(who, other, by=by, reason=reason))
    if as_json:
        _print_json(done)
        return
    typer.echo(f"{'merged' if done['merged'] else 'they were one person already'}: {', '.join(done['contact_ids'])}")


@app.command()
def unmerge(who: Who, other: Who, *, by: By, as_json: AsJson = False, data_dir: Data = DATA) -> None:
    """Take back that two contacts are one person. The record of it stays."""
    done = _run(data_dir, lambda people: people.unmerge(who, other, by=by))
    if as_json:
        _print_json(done)
        return
    typer.echo(f"two people again: {', '.join(done['contact_ids'])} and {done['other']}")


@app.command()
def forget(
    who: Who,
    *,
    by: By = "",
    provider_copies: Annotated[
        bool | None, typer.Option(help="Have the provider delete its messages too; MESSAGING_FORGET_PROVIDER_COPIES")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    as_json: AsJson = False,
    data_dir: Data = DATA,
) -> None:
    """Remove a person from memory, conversations and histories, and print what was removed. It cannot be undone."""
    if not yes and not typer.confirm(f"Forget {who} and everything they said?", err=True):
        raise typer.Exit(1)
    receipt = _run(data_dir, lambda people: people.forget(who, by=by, provider_copies=provider_copies))
    if as_json:
        _print_json(receipt)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in receipt.items():
        table.add_row(Text(name, style="dim"), _plain(value))
    Console(highlight=False, soft_wrap=True).print(table)


def _run(data_dir: Path, act: Callable[[Any], Awaitable[Any]]) -> dict[str, Any]:
    """Do something with the people of the settings. What does not answer is one line for the user."""
    from memory.store import MemoryMismatch, MemoryUnavailable  # noqa: PLC0415 - other commands do not pay for it
    from runtime import temporal  # noqa: PLC0415

    async def within() -> dict[str, Any]:
        async with _people(data_dir) as people:
            found = await act(people)
            return found if isinstance(found, dict) else asdict(found)

    try:
        return asyncio.run(within())
    except MemoryUnavailable as error:
        raise Away(f"QDRANT_URL: {error.reason}") from error
    except MemoryMismatch as error:
        raise ValueError(str(error)) from error
    except (temporal.TemporalUnreachable, RuntimeError) as error:
        raise Away("Temporal does not answer; is it running, and is TEMPORAL_ADDRESS right?") from error


@asynccontextmanager
async def _people(data_dir: Path) -> AsyncIterator[Any]:
    from runtime.people import open_people  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415

    find(data_dir)
    async with open_people(load()) as people:
        yield people


def find(data_dir: Path) -> None:
    """Use what a running `messaging dev` uses, where no variable says otherwise."""
    state, key = data_dir / "dev.json", data_dir / "id_key"
    if state.exists():
        found = json.loads(state.read_text())
        os.environ.setdefault("TEMPORAL_ADDRESS", found["temporal_address"])
        os.environ.setdefault("QDRANT_URL", found["qdrant"])
    if key.exists():
        os.environ.setdefault("MESSAGING_ID_KEY", key.read_text().strip())


def _plain(value: Any) -> Text:
    if isinstance(value, (list, tuple)):
        return Text("\n".join(map(str, value)) or "none")
    if isinstance(value, dict):
        return Text(", ".join(f"{count} by {name}" for name, count in value.items()) or "none")
    return Text("unknown" if value is None else str(value))


def _print_json(found: Any) -> None:
    typer.echo(json.dumps(found, default=str, ensure_ascii=False))
