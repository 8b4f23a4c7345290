"""Which providers are installed, and what each can do: read from what they declare, without any credentials."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

_CAN = {
    "conversations": "conversations",
    "participants": "participants",
    "outbound_media": "media out",
    "inbound_media": "media in",
    "proves_absence": "proves absence",
}


def providers(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False) -> None:
    """List the installed messaging providers and what they can do."""
    from messaging.registry import describe  # noqa: PLC0415 - other commands do not pay for it

    found = describe()
    if as_json:
        typer.echo(json.dumps([_record(provider) for provider in found], indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("Provider", "Channels", "Can", "Longest text", "From"):
        table.add_column(heading, overflow="fold")
    for provider in found:
        table.add_row(Text(provider.name, style="bold"), *_told(provider), _source(provider))
    Console(highlight=False).print(table)


def _record(provider: Any) -> dict[str, Any]:
    record = asdict(provider)
    if provider.capabilities is not None:
        record["capabilities"]["channels"] = _channels(provider.capabilities)
    return record


def _told(provider: Any) -> tuple[Text | str, ...]:
    if provider.error:
        return Text(provider.error, style="red"), "", ""
    told = provider.capabilities
    if told is None:
        return Text("does not say", style="dim"), "", ""
    can = [label for name, label in _CAN.items() if getattr(told, name)]
    return ", ".join(_channels(told)), ", ".join(can), str(told.max_body)


def _source(provider: Any) -> Text:
    source = Text(provider.entry_point)
    if provider.distribution:
        source.append(f"\n{provider.distribution} {provider.version}", style="dim")
    return source


def _channels(capabilities: Any) -> list[str]:
    return sorted(channel.value for channel in capabilities.channels)
