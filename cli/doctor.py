"""`messaging doctor`: what is wrong here, and what to do about it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer

from cli.conversations import DATA, AsJson, Data, print_json
from cli.endings import Ending


def doctor(
    *,
    stuck_after: Annotated[float, typer.Option(min=1, help="Minutes that a step may try before it is stuck")] = 15.0,
    conversations: Annotated[int, typer.Option(min=0, max=100_000, help="Open ones to look into, the latest")] = 500,
    as_json: AsJson = False,
    data_dir: Data = DATA,
) -> None:
    """Look at Temporal, workers, conversations, Qdrant, spool, provider and webhooks. Exit code 1 if one fails."""
    findings = asyncio.run(_examine(timedelta(minutes=stuck_after), conversations, data_dir))
    from runtime.doctor import worst  # noqa: PLC0415 - as `_examine`

    state = worst(findings)
    if as_json:
        print_json({"state": state.value, "findings": [asdict(finding) for finding in findings]})
    else:
        width = max(len(finding.check) for finding in findings)
        for finding in findings:
            do = f" -> {finding.do}" if finding.do else ""
            typer.echo(f"{finding.state.value:<4}  {finding.check:<{width}}  {finding.saw}{do}")
    if state.value == "fail":
        raise typer.Exit(Ending.FAILED)


async def _examine(stuck_after: timedelta, most: int, data_dir: Any) -> Any:
    # Imported here: other commands do not pay for it.
    from cli.plan import settle_on  # noqa: PLC0415
    from runtime.doctor import examine  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415

    settle_on(data_dir)
    return await examine(load(), stuck_after=stuck_after, most=most)
