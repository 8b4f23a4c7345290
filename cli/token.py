"""`messaging token`: who is let in to REST and the console."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from runtime import access

app = typer.Typer(help="Tokens for REST and the console.", no_args_is_help=True)

Scope = Annotated[access.Scope, typer.Option(help="What it may do; each may also do what those before it may")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day (UTC) on which it counts")]


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Whose it is: the operator's name in what it does")],
    *,
    scope: Scope = access.Scope.READ,
    until: Until = None,
) -> None:
    """Make a token. It is printed once, on standard output; the entry that lets it in goes to standard error."""
    token, entry = access.new(name, scope, until.date() if until else None)
    typer.echo("Add this to MESSAGING_API_TOKENS, by comma, and restart the API:", err=True)
    typer.echo(f"  {entry}", err=True)
    typer.echo("The token, which is nowhere kept:", err=True)
    typer.echo(token)
