"""The `messaging` command: one subcommand a file."""

from __future__ import annotations

import sys
from importlib import metadata

import typer

from cli import chat, contacts, conversations, dev, flow, knowledge, providers, replay, serve, token
from runtime.settings import read_dotenv

app = typer.Typer(
    name="messaging",
    help="Durable conversations: people text a number, an agent answers, nothing is lost.",
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
app.add_typer(contacts.app, name="contacts")
app.command("replay")(replay.replay)
app.add_typer(flow.app, name="flow")
app.add_typer(knowledge.app, name="knowledge")
app.command("providers")(providers.providers)
app.add_typer(token.app, name="token")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(metadata.version("durable-conversations"))


def main() -> None:
    """Run the command; an error is one line that says what to do."""
    read_dotenv()
    # The current folder holds the user's own agent.
    sys.path.insert(0, "")
    try:
        app()
    except (ValueError, OSError) as error:
        typer.echo(f"messaging: {error}", err=True)
        raise SystemExit(1) from None
