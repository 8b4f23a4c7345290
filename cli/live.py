"""What `messaging dev` shows: what is up and where, then the conversation as it happens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.phone import Line, follow

_LABELS = {
    "phone": "Phone page",
    "console": "Console",
    "temporal_ui": "Temporal UI",
    "api": "API",
    "simulator": "Simulator",
    "temporal_address": "Temporal",
    "qdrant": "Qdrant",
}
_FIRST = {"phone", "console", "temporal_ui"}


class View:
    """Writes to standard error; standard output is for programs."""

    def __init__(self, names: list[str]) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._states = dict.fromkeys(names, "starting")
        self._live: Live | None = None

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Show every process until all are up."""
        if not self._console.is_terminal:
            yield
            return
        with Live(self._progress(), console=self._console, refresh_per_second=8, transient=True) as self._live:
            yield
        self._live = None

    def service(self, name: str, state: str) -> None:
        """One process changed."""
        self._states[name] = state
        if self._live is not None:
            self._live.update(self._progress())
        else:
            self._console.print(f"{name:<10} {state}", style="dim")

    def ready(self, urls: Mapping[str, str]) -> None:
        """All is up."""
        table = Table.grid(padding=(0, 3))
        for key, label in _LABELS.items():
            if url := urls.get(key):
                first = key in _FIRST
                table.add_row(Text(label, style="bold" if first else "dim"), Text(url, style="" if first else "dim"))
        self._console.print(table)
        hint = "Text from the phone page, or with `messaging chat`. " if urls.get("phone") else ""
        self._console.print(f"\n{hint}Ctrl-C stops everything.\n", style="dim")

    def stopping(self) -> None:
        """The end."""
        self._console.print("Stopping. The data stays for the next time.", style="dim")

    async def conversation(self, simulator: str) -> None:
        """Print each text as it passes the simulator; connect again when that was away."""
        import httpx  # noqa: PLC0415 - other commands do not pay for it

        while True:
            with contextlib.suppress(httpx.HTTPError):
                async for line in follow(simulator):
                    self._console.print(_rendered(line))
            await asyncio.sleep(1)

    def _progress(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, state in self._states.items():
            mark = Text("●", style="green") if state == "up" else Text("○", style="yellow")
            table.add_row(mark, name, Text(state, style="dim"))
        return table


def _rendered(line: Line) -> Text:
    arrow = Text(" → ", style="cyan") if line.is_inbound else Text(" ← ", style="green")
    return Text.assemble((f"{line.at:%H:%M:%S} ", "dim"), (f"{line.channel:<8} ", "dim"), line.phone, arrow, line.body)
