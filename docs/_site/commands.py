"""The directive `commands`: every command with its arguments and options, as the code has them."""

from __future__ import annotations

from typing import Any

import typer
import typer.cli
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from cli import main


def page() -> str:
    """All of them in Markdown, by typer's own generator, one heading each below a page's own."""
    command = typer.main.get_command(main.app)
    context = typer.Context(command, info_name="messaging")
    whole = typer.cli.get_docs_for_click(obj=command, ctx=context, indent=0, name="messaging")
    # What comes before the first command is what the page itself says.
    return whole[whole.index("\n## ") :]


class Commands(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(main.__file__))
        return self.parse_text_to_nodes(page(), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
