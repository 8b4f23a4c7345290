"""`messaging ledger`: what came in, and what became of each message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import period
from cli.conversations import DATA, AsJson, Data, print_json, when
from cli.endings import Away, Ending

# In the order in which they are told; whatever else there is comes after.
_WORDS = {
    "answered": "answered",
    "coalesced": "answered together with an earlier one",
    "held": "held for a human",
    "opted_out": "opted out",
    "opted_in": "opted in",
    "helped": "asked for help, which the provider gives",
    "refused": "refused",
    "forgotten": "of people who were forgotten since",
    "dropped": "parked, and dropped by a human",
    "parked": "parked",
    "in_progress": "being answered",
    "waiting": "waiting in a conversation",
    "spooled": "waiting in the spool",
    "set_aside": "set aside in the spool: Temporal refuses them",
    "handled": "handled, without a record of how",
}


def ledger(
    since: Annotated[str, typer.Option("--since", help="From when on: 2h (before now), or 2026-11-24T12:00:00Z")],
    *,
    until: Annotated[str, typer.Option("--until", help="Up to when; what came just now may be on its way")] = "10s",
    each: Annotated[bool, typer.Option("--each", help="Every message, one a line, before the sum")] = False,
    as_json: AsJson = False,
    data_dir: Data = DATA,
) -> None:
    """Account for every message of a period, without text or number. Exit code 1 if one is unaccounted for."""
    now = datetime.now(UTC)
    start, end = period.instant(since, option="--since", now=now), period.instant(until, option="--until", now=now)
    if start >= end:
        raise typer.BadParameter("must be before --until", param_hint="--since")

    def tell(entry: Any) -> None:
        if each and as_json:
            print_json(asdict(entry))
        elif each:
            typer.echo(_line(entry, entry.state))

    balance = asyncio.run(_balance(start, end, data_dir, tell))
    if as_json:
        print_json({**asdict(balance), "states": {"unaccounted": 0, **balance.states}})
    else:
        _print(balance)
    if balance.unaccounted:
        raise typer.Exit(Ending.FAILED)


def _print(balance: Any) -> None:
    typer.echo(f"{when(balance.since)} to {when(balance.until)} UTC: {balance.messages} messages came in")
    names = [*_WORDS, *(name for name in balance.states if name not in _WORDS)]
    for name in names:
        if (count := balance.states.get(name)) and name != "unaccounted":
            typer.echo(f"  {count:>7} {_WORDS.get(name, name)}")
    if balance.elsewhere:
        typer.echo(f"  beside them {balance.elsewhere} that are not told to us: other numbers, another product")
    for name in balance.unlisted:
        typer.echo(f"  {name} keeps no list of what came in: nothing is known of it")
    for entry in balance.parked:
        typer.echo(_line(entry, "parked"))
    typer.echo(f"  {len(balance.unaccounted):>7} unaccounted for")
    for entry in balance.unaccounted:
        typer.echo(_line(entry, "unaccounted"))


def _line(entry: Any, state: str) -> str:
    turn = f" turn {entry.turn}" if entry.turn else ""
    reason = f": {entry.reason}" if entry.reason else ""
    return f"{state} {entry.id} of {entry.conversation_id}{turn}, {when(entry.at)}{reason}"


async def _balance(since: datetime, until: datetime, data_dir: Path, tell: Callable[[Any], None]) -> Any:
    # Imported here: other commands do not pay for it.
    from cli.plan import settle_on  # noqa: PLC0415
    from messaging.errors import NetworkError  # noqa: PLC0415
    from runtime import temporal  # noqa: PLC0415
    from runtime.ledger import Balance, open_ledger  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415

    settle_on(data_dir)
    settings = load()
    try:
        async with AsyncExitStack() as stack:
            book = await stack.enter_async_context(open_ledger(settings))
            balance = Balance(since=since, until=until, unlisted=book.unlisted)
            async for entry in book.entries(since, until):
                balance.add(entry)
                tell(entry)
            return balance
    except NetworkError as error:
        raise Away(f"the provider does not answer: {error}") from None
    except (temporal.TemporalUnreachable, RuntimeError):
        raise Away("Temporal does not answer; is it running, and is TEMPORAL_ADDRESS right?") from None
