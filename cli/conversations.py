"""`messaging conversations`: look at them and act on them, straight through Temporal."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from cli.endings import Away

app = typer.Typer(help="The conversations there are: list, explain, follow, take over, decide.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="A conversation's id, as listed")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
Data = Annotated[Path, typer.Option("--data-dir", help="Folder of a running `messaging dev`; TEMPORAL_ADDRESS wins")]
By = Annotated[str, typer.Option("--by", help="Who does so")]
State = Literal["active", "held", "waiting", "closed"]
DATA = Path(".messaging")

# Seconds between two looks of `tail`; each is a query, which costs an Action.
LOOK = 2.0


@app.command("list")
def list_(
    *,
    state: Annotated[State | None, typer.Option(help="Where they stand")] = None,
    channel: Annotated[str | None, typer.Option(help="sms, whatsapp, …")] = None,
    assignee: Annotated[str | None, typer.Option(help="Who has it")] = None,
    contact: Annotated[str | None, typer.Option(help="A contact's id")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: AsJson = False,
    data_dir: Data = DATA,
) -> None:
    """The latest first."""

    async def look(directory: Any) -> list[dict[str, Any]]:
        from runtime.filter import Filter  # noqa: PLC0415 - as `_directory`

        wanted = Filter(state=state, channel=channel, assignee=assignee, contact=contact)
        return [asdict(item) for item in (await directory.list(wanted, limit=limit)).items]

    rows = run(data_dir, look)
    if as_json:
        print_json(rows)
        return
    table = Table("id", "state", "channel", "assignee", "last activity")
    for row in rows:
        table.add_row(row["id"], row["state"], row["channel"], row["assignee"] or "", when(row["updated_at"]))
    Console().print(table)


@app.command()
def show(conversation_id: Id, *, as_json: AsJson = False, data_dir: Data = DATA) -> None:
    """Explain each turn: what came in, what was recalled and drafted, which guards fired, what was sent, how proven."""

    async def look(directory: Any) -> tuple[Any, list[Any]]:
        from runtime.account import explain  # noqa: PLC0415 - as `_directory`

        summary = await directory.get(conversation_id)
        messages = await directory.messages(conversation_id)
        records = await directory.turns(conversation_id)
        return summary, await explain(directory.histories(conversation_id), messages, records)

    summary, turns = run(data_dir, look)
    if as_json:
        print_json({**asdict(summary), "turns": [asdict(turn) for turn in turns]})
        return
    _print_summary(summary)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for turn in turns:
        _print_turn(console, turn, run=summary.run_id)


def _print_summary(summary: Any) -> None:
    from runtime.account import masked  # noqa: PLC0415 - as `_directory`

    view = summary.view
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{summary.id}: {summary.state}, {summary.channel}, flow {view.flow or 'none yet'}")
    told = {
        "assignee": summary.assignee,
        "handoff": view.handoff,
        "opted out": "yes" if view.opted_out else None,
        "answer due": when(view.answer_due_at) if view.answer_due_at else None,
        "uncertain sends": view.uncertain or None,
        "not yet in memory": view.unremembered or None,
        "run": summary.run_id,
    }
    for name, value in told.items():
        if value:
            console.print(f"  {name}: {value}")
    for note in view.notes:
        console.print(f"  note of {note.author}: {masked(note.text)}")
    for question in view.approvals:
        console.print(f"  question {question.token}: {masked(question.question)} ({question.verdict.value})")


@app.command()
def tail(conversation_id: Id, *, as_json: AsJson = False, data_dir: Data = DATA) -> None:
    """Print what is said, as it is said, and how far our own messages got. Ctrl-C ends it."""

    async def follow(directory: Any) -> None:
        from runtime.account import masked  # noqa: PLC0415 - as `_directory`

        seen: dict[str, str] = {}
        while True:
            for message in await directory.messages(conversation_id):
                if seen.get(message.id) != message.status:
                    seen[message.id] = message.status
                    said = masked(message.body)
                    told = {"at": message.created_at, "direction": message.direction, "author": message.author}
                    told |= {"status": message.status, "body": said}
                    if as_json:
                        print_json(told)
                    else:
                        typer.echo(f"{when(message.created_at)} {message.direction} ({message.status}): {said}")
            await asyncio.sleep(LOOK)

    try:
        run(data_dir, follow)
    except KeyboardInterrupt:
        return


@app.command()
def takeover(conversation_id: Id, by: By, *, data_dir: Data = DATA) -> None:
    """Let a human answer; the agent is silent until `release`."""
    run(data_dir, lambda directory: directory.takeover(conversation_id, by))


@app.command()
def release(conversation_id: Id, *, data_dir: Data = DATA) -> None:
    """Let the agent answer again."""
    run(data_dir, lambda directory: directory.release(conversation_id))


@app.command()
def close(conversation_id: Id, *, data_dir: Data = DATA) -> None:
    """End it; the next text opens it again."""
    run(data_dir, lambda directory: directory.close(conversation_id))


@app.command()
def approve(
    conversation_id: Id,
    by: By,
    *,
    token: Annotated[str | None, typer.Option(help="Which question [default: the only one that waits]")] = None,
    data_dir: Data = DATA,
) -> None:
    """Say yes to a step's question."""
    _decide(conversation_id, by, token, data_dir, approved=True)


@app.command()
def decline(
    conversation_id: Id,
    by: By,
    *,
    token: Annotated[str | None, typer.Option(help="Which question [default: the only one that waits]")] = None,
    data_dir: Data = DATA,
) -> None:
    """Say no to a step's question."""
    _decide(conversation_id, by, token, data_dir, approved=False)


def _decide(conversation_id: str, by: str, token: str | None, data_dir: Path, *, approved: bool) -> None:
    async def act(directory: Any) -> None:
        from workflows.approval import Decide  # noqa: PLC0415 - as `_directory`

        chosen = token or await _waiting(directory, conversation_id)
        await directory.decide(conversation_id, Decide(token=chosen, by=by), approved=approved)

    run(data_dir, act)


async def _waiting(directory: Any, conversation_id: str) -> str:
    view = (await directory.get(conversation_id)).view
    waiting = [question.token for question in view.approvals if question.verdict == "pending"]
    if len(waiting) != 1:
        raise ValueError(f"{len(waiting)} questions wait in this conversation; name one by --token")
    return str(waiting[0])


def _print_turn(console: Console, turn: Any, *, run: str) -> None:
    ended = turn.outcome if turn.number else "before the first text"
    console.print(f"\nturn {turn.number}: {ended}{f' ({turn.reason})' if turn.reason else ''}")
    recalled = (
        [] if turn.recalled is None else [f"{turn.recalled} utterances{', memory away' if turn.memory_away else ''}"]
    )
    for name, lines in (
        ("came in", turn.came),
        ("recalled", recalled),
        ("tool", turn.tools),
        ("drafted", turn.drafts),
        ("rests on", turn.sources),
        ("spent", turn.spent),
        ("guard", turn.guards),
        ("sent", turn.sent),
        ("step", turn.steps),
        ("run", [turn.run] if turn.run not in {"", run} else []),
    ):
        for line in lines:
            console.print(f"  {name:<9} {line}")


def run(data_dir: Path, act: Callable[[Any], Awaitable[Any]]) -> Any:
    """Do something with the conversations. Raises ValueError where it cannot be done; one sentence."""

    async def main() -> Any:
        async with _directory(data_dir) as directory:
            return await act(directory)

    return asyncio.run(main())


@asynccontextmanager
async def _directory(data_dir: Path) -> AsyncIterator[Any]:
    """Raises ValueError where it cannot be done; one sentence."""
    # Imported here: other commands do not pay for it.
    from temporalio.client import WorkflowUpdateFailedError  # noqa: PLC0415

    from runtime import directory, temporal  # noqa: PLC0415

    find_temporal(data_dir)
    try:
        yield directory.Directory(await temporal.connect())
    except directory.UnknownConversation:
        raise ValueError("there is no conversation of this id") from None
    except directory.ConversationEnded:
        raise ValueError("the conversation is closed; a text opens it again") from None
    except directory.NoWorker:
        raise Away("no worker answers for this conversation") from None
    except WorkflowUpdateFailedError as refused:
        raise ValueError(getattr(refused.cause, "message", str(refused.cause))) from None
    except (temporal.TemporalUnreachable, RuntimeError):
        raise Away("Temporal does not answer; is it running, and is TEMPORAL_ADDRESS right?") from None


def find_temporal(data_dir: Path) -> None:
    """Use the server of a running `messaging dev`, unless TEMPORAL_ADDRESS names another."""
    state = data_dir / "dev.json"
    if not os.environ.get("TEMPORAL_ADDRESS") and state.exists():
        os.environ["TEMPORAL_ADDRESS"] = json.loads(state.read_text())["temporal_address"]


def print_json(found: Any) -> None:
    """For programs, on standard output."""
    typer.echo(json.dumps(found, default=str, ensure_ascii=False))


def when(at: datetime) -> str:
    """For a table."""
    return at.strftime("%Y-%m-%d %H:%M:%S")
