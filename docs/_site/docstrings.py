"""An indented block of a docstring, set off by a blank line, is shown as it stands: a tree, an example."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def _as_it_stands(_app: Sphinx, _what: str, _name: str, _of: Any, _options: Any, lines: list[str]) -> None:
    shown = list[str]()
    outside = True
    for line in lines:
        indented = line.startswith("    ")
        if indented and outside and shown and not shown[-1].strip():
            shown += ["::", ""]
        if line.strip():
            outside = not indented
        shown.append(line)
    lines[:] = shown


def setup(app: Sphinx) -> dict[str, bool]:
    # Before napoleon, which has 500.
    app.connect("autodoc-process-docstring", _as_it_stands, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
