"""What axe finds wanting in pages of Sphinx and furo: the level of headings in the sidebar, keys for what scrolls."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx


def _complete(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    if "furo_navigation_tree" in context:
        tree = context["furo_navigation_tree"]
        context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')
    if "body" in context:
        body = context["body"].replace("<pre>", '<pre tabindex="0">')
        body = body.replace('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper')
        context["body"] = re.sub(r'<p>(?=<img [^>]*\.svg")', '<p tabindex="0">', body)


def setup(app: Sphinx) -> dict[str, bool]:
    # After furo has made its tree.
    app.connect("html-page-context", _complete, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
