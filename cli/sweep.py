"""`messaging sweep`: hand in what the provider lists and no webhook brought, now."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import period
from cli.conversations import DATA, AsJson, Data, print_json
from cli.endings import Away, Ending


def sweep(
    since: Annotated[str, typer.Option("--since", help="From when on: 2h (before now), or 2026-11-24T12:00:00Z")],
    *,
    until: Annotated[str, typer.Option("--until", help="Up to when")] = "60s",
    as_json: AsJson = False,
    data_dir: Data = DATA,
) -> None:
    """Hand in texts that no conversation has seen. A worker does it, goes on after a crash, and never doubles one."""
    now = datetime.now(UTC)
    start, end = period.instant(since, option="--since", now=now), period.instant(until, option="--until", now=now)
    if start >= end:
        raise typer.BadParameter("must be before --until", param_hint="--since")
    found = asyncio.run(_sweep(start, end, data_dir))
    if as_json:
        print_json({"since": start, "until": end, **asdict(found)})
    else:
        for name, listed in found.listed.items():
            elsewhere = f", {found.elsewhere[name]} not told to us" if found.elsewhere.get(name) else ""
            left = f", {found.left[name]} left for another sweep" if found.left.get(name) else ""
            typer.echo(f"{name}: {listed} came in, {found.recovered.get(name, 0)} recovered{left}{elsewhere}")
        for name, why in found.failed.items():
            typer.echo(f"{name}: could not be swept: {why}", err=True)
        if not found.listed and not found.failed:
            typer.echo("no provider here keeps a list of what came in")
    if found.failed:
        raise typer.Exit(Ending.FAILED)


async def _sweep(since: datetime, until: datetime, data_dir: Path) -> Any:
    # Imported here: other commands do not pay for it.
    from cli.plan import settle_on  # noqa: PLC0415
    from runtime import providers, temporal  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415
    from runtime.sweeping import NobodySweeps, listing, sweep_now  # noqa: PLC0415

    settle_on(data_dir)
    settings = load()
    backends = providers.backends(settings, logged=False)
    try:
        client = await temporal.connect(sealing=settings.sealing())
        return await sweep_now(client, settings.temporal_task_queue, listing(backends), since=since, until=until)
    except NobodySweeps:
        raise Away("no worker asks for work; start one, with MESSAGING_ID_KEY set") from None
    except (temporal.TemporalUnreachable, RuntimeError):
        raise Away("Temporal does not answer; is it running, and is TEMPORAL_ADDRESS right?") from None
