"""`messaging chat`: a phone in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cli import phone
from cli.endings import Away

# When lines come from a pipe, the last answer gets this long.
LAST_ANSWER = 30.0


def chat(
    sender: Annotated[str, typer.Option("--from", help="The person's number")] = "+15550100001",
    *,
    whatsapp: Annotated[bool, typer.Option("--whatsapp", help="By WhatsApp instead of SMS")] = False,
    data_dir: Annotated[Path, typer.Option(help="Folder of the running `messaging dev`")] = Path(".messaging"),
    simulator: Annotated[str | None, typer.Option(help="URL of a simulator; overrides --data-dir")] = None,
) -> None:
    """Text the agent of a running `messaging dev` from the terminal; one text a line, Ctrl-D ends."""
    import httpx  # noqa: PLC0415 - other commands do not pay for it

    url = simulator or _running(data_dir)
    try:
        asyncio.run(_chat(url, sender, "whatsapp" if whatsapp else "sms"))
    except httpx.HTTPError as error:
        raise Away(f"the simulator at {url} does not answer ({type(error).__name__}); is it running?") from error
    except KeyboardInterrupt:
        return


def _running(data: Path) -> str:
    state = data / "dev.json"
    if not state.exists():
        raise ValueError(f"nothing runs in {data}; start `messaging dev` first, or give --simulator")
    url = str(json.loads(state.read_text()).get("simulator", ""))
    if not url:
        raise ValueError(f"the `messaging dev` of {data} has no simulator; give --simulator")
    return url


async def _chat(url: str, sender: str, channel: str) -> None:
    import httpx  # noqa: PLC0415

    console = Console(highlight=False)
    answered = asyncio.Event()
    await phone.check(url)
    listening = asyncio.create_task(_print_answers(console, url, sender, channel, answered))
    await asyncio.sleep(0.2)  # the stream is open before the first text goes out
    try:
        while line := await asyncio.to_thread(_read):
            if listening.done():
                break
            if body := line.strip():
                answered.clear()
                await phone.text(url, sender=sender, body=body, channel=channel)
                if not sys.stdin.isatty():
                    console.print(Text.assemble(("you:   ", "cyan"), body))
                    await _wait(answered)
        if listening.done():
            await listening
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError, httpx.HTTPError):
            await listening


async def _print_answers(console: Console, url: str, sender: str, channel: str, answered: asyncio.Event) -> None:
    async for line in phone.follow(url):
        if not line.is_inbound and line.phone == sender and line.channel == channel:
            console.print(Text.assemble(("agent: ", "green"), line.body))
            answered.set()


async def _wait(answered: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(answered.wait(), LAST_ANSWER)


def _read() -> Any:
    if sys.stdin.isatty():
        try:
            return input() + "\n"
        except EOFError:
            return ""
    return sys.stdin.readline()
