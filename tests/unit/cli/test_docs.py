"""The page about the command line names every command and every exit code there is."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main

from cli import main
from cli.endings import Ending
from docs._site import commands

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    rows = PAGE.partition(heading)[2].partition("|---|---|\n")[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_every_command_is_in_the_table_and_no_other() -> None:
    named = [name for cells in table("# The command line") for name in re.findall(r"`([a-z]+)`", cells[0])]
    there = typer.main.get_command(main.app)
    assert sorted(named) == sorted(there.list_commands(typer.Context(there)))  # type: ignore[attr-defined] - a group


def test_every_ending_is_told_in_its_own_words() -> None:
    assert table("## How a command ends") == [[str(ending.value), ending.meaning] for ending in Ending]


def test_the_reference_has_every_command_with_its_options() -> None:
    page = commands.page()
    there = typer.main.get_command(main.app)
    for name in there.list_commands(typer.Context(there)):  # type: ignore[attr-defined] - a group
        assert f"\n## `messaging {name}`\n" in page
    assert "### `messaging conversations tail`" in page
    assert "--simulator-port" in page
