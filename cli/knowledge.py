"""`messaging knowledge`: what the agent answers from, as it is kept in Qdrant."""

from __future__ import annotations

import asyncio
import json
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

app = typer.Typer(name="knowledge", help="What the agent answers from, as it is kept in Qdrant.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.command()
def load(
    folder: Annotated[Path | None, typer.Argument(help="Folder of Markdown files; MESSAGING_KNOWLEDGE")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the Markdown files of a folder all that this tenant's agents know. What has not changed stays as it is."""
    from memory import markdown  # noqa: PLC0415 - each command pays only for what it uses
    from runtime.settings import load as read_settings  # noqa: PLC0415

    folder = folder or read_settings().messaging_knowledge
    if folder is None:
        raise ValueError("name a folder of Markdown files, or set MESSAGING_KNOWLEDGE")
    files = markdown.files(folder)
    passages = markdown.read(files, folder)
    done = _run(lambda shelf: shelf.load(passages))
    if as_json:
        typer.echo(json.dumps({"files": len(files), "passages": len(passages), **asdict(done)}))
        return
    typer.echo(
        f"{len(passages)} passages of {len(files)} files: {done.added} added, {done.removed} removed, "
        f"{done.unchanged} unchanged"
    )


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the passages there are."""
    passages = list(_run(lambda shelf: shelf.passages()))
    if as_json:
        typer.echo(json.dumps([_record(passage) for passage in passages], indent=2, ensure_ascii=False))
        return
    _print([(passage.source, passage.heading, f"{len(passage.text)} characters") for passage in passages])


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What somebody might ask")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many passages")] = 3,
    as_json: AsJson = False,
) -> None:
    """Find the passages nearest to a question, with the score that MESSAGING_AGENT_THRESHOLD is compared to."""
    found = _run(lambda shelf: shelf.search(query, limit))
    if as_json:
        rows = [{**_record(passage), "score": round(passage.score, 4)} for passage in found]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    _print([(f"{passage.score:.2f}", f"{passage.source}: {passage.heading}", passage.text) for passage in found])


def _record(passage: Any) -> dict[str, Any]:
    return {"source": passage.source, "heading": passage.heading, "text": passage.text}


def _print(rows: list[tuple[str, ...]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table) if rows else typer.echo("nothing is known yet: messaging knowledge load")


def _run(work: Callable[[Any], Awaitable[Any]]) -> Any:
    """Do something with the shelf of the settings. What Qdrant refuses is one line for the user."""
    from memory.store import MemoryMismatch, MemoryUnavailable  # noqa: PLC0415
    from runtime.settings import load as read_settings  # noqa: PLC0415

    async def within() -> Any:
        async with _shelf() as shelf:
            return await work(shelf)

    try:
        return asyncio.run(within())
    except MemoryUnavailable as error:
        raise Away(f"QDRANT_URL={read_settings().qdrant_url}: {error.reason}") from error
    except MemoryMismatch as error:
        raise ValueError(str(error)) from error


@asynccontextmanager
async def _shelf() -> AsyncIterator[Any]:
    from memory.shelf import Shelf  # noqa: PLC0415
    from runtime.embedding import close, load_embedder  # noqa: PLC0415
    from runtime.remembering import qdrant_client  # noqa: PLC0415
    from runtime.settings import load as read_settings  # noqa: PLC0415

    settings = read_settings()
    embedder, client = load_embedder(settings.messaging_embedder), qdrant_client(settings)
    try:
        yield Shelf(client=client, embedder=embedder, tenant=settings.messaging_tenant, timeout=30.0)
    finally:
        await client.close()
        close(embedder)
