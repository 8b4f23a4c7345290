"""The directive `routes`: what the API serves, from its own OpenAPI document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import api
from api.app import create_app
from runtime.settings import Settings


class Routes(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        for source in Path(api.__file__).parent.glob("*.py"):
            self.env.note_dependency(str(source))
        lines: list[str] = []
        for path, methods in create_app(Settings(_env_file=None)).openapi()["paths"].items():
            for method, call in methods.items():
                more = call.get("description", "").split("\n\n")[0].replace("\n", " ")
                lines += [f"`{method.upper()} {path}`", f": {call['summary']}. {more}", ""]
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("routes", Routes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
