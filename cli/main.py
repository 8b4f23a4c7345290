"""The `messaging` command: one subcommand a file.

To add one: write `cli/NAME.py` with a function (or a `typer.Typer` of several) and name it in the list below. At its
top such a file imports only the standard library, typer, rich and `cli`: `--help`, completion and `chat` must not
wait for Temporal's SDK; import what a command uses inside it. What lists takes `--json`. What cannot be done raises
ValueError with one sentence that says what to do, `cli.endings.Away` where something does not answer, and
`typer.Exit(Ending.FAILED)` ends a check that found something; `cli.endings` has the exit codes.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli import (
    chat,
    contacts,
    conversations,
    dev,
    doctor,
    endings,
    flow,
    knowledge,
    ledger,
    memory,
    parked,
    providers,
    replay,
    serve,
    sweep,
    token,
)
from runtime.dotenv import read_dotenv

app = typer.Typer(
    name="messaging",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("dev")(dev.dev)
app.command("chat")(chat.chat)
app.command("api")(serve.api)
app.command("worker")(serve.worker)
app.command("simulator", context_settings=serve.PASS_ON)(serve.simulator)
app.command("qdrant")(serve.qdrant)
app.add_typer(conversations.app, name="conversations")
app.add_typer(parked.app, name="parked")
app.command("doctor")(doctor.doctor)
app.command("ledger")(ledger.ledger)
app.command("sweep")(sweep.sweep)
app.add_typer(contacts.app, name="contacts")
app.command("replay")(replay.replay)
app.add_typer(flow.app, name="flow")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(memory.app, name="memory")
app.command("providers")(providers.providers)
app.add_typer(token.app, name="token")


def _print_version(asked: bool = True) -> None:
    from importlib import metadata  # noqa: PLC0415 - 50 ms, which no other command pays

    if asked:
        typer.echo(metadata.version("durable-conversations"))
        raise typer.Exit


@app.callback()
def everywhere(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version")
    ] = False,
) -> None:
    """Durable conversations: people text a number, an agent answers, nothing is lost."""


@app.command("version")
def print_version() -> None:
    """Print the version."""
    _print_version()


def main() -> None:
    """Run the command; an error is one line that says what to do."""
    read_dotenv()
    # The current folder holds the user's own agent.
    sys.path.insert(0, "")
    try:
        app()
    except Exception as error:
        ending, said = endings.of(error)
        if ending is endings.Ending.BUG and os.environ.get("MESSAGING_LOG_LEVEL") == "DEBUG":
            raise
        typer.echo(f"messaging: {said}", err=True)
        raise SystemExit(ending) from None
