"""Fenced blocks of Mermaid as pictures, drawn here, one for light and one for dark. Without merman they stay text."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

try:
    import merman
except ImportError:  # it has no wheel for this machine
    merman = None

# furo shows an element of one of these classes while its theme is the one named.
_THEMES = {"only-light": "default", "only-dark": "dark"}


def _draw(source: str, theme: str) -> str:
    # Ids are the document's own, and both pictures stand in it.
    name = f"mermaid-{hashlib.sha256((theme + source).encode()).hexdigest()[:12]}"
    options = json.dumps({"svg": {"diagram_id": name}})
    drawn: str = merman.Merman().render_svg(f"%%{{init: {{'theme': '{theme}'}}}}%%\n{source}", options)
    return drawn


class Mermaid(SphinxDirective):
    has_content = True

    def run(self) -> list[nodes.Node]:
        source = "\n".join(self.content)
        if merman is None:
            return [nodes.literal_block(source, source, language="text"), nodes.caption("", "A diagram, in Mermaid.")]
        shown = "".join(f'<div class="{shown}">{_draw(source, theme)}</div>' for shown, theme in _THEMES.items())
        return [nodes.raw("", f'<figure class="mermaid" tabindex="0">{shown}</figure>', format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
