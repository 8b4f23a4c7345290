"""The directive `settings`: every setting, with what .env.example says of it and the bounds that the code has.

That the two have the same settings and defaults is tested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import runtime.conduct
import runtime.settings
from runtime.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
_SECTION = re.compile(r"# --- (.+?) -+$")
_VARIABLE = re.compile(r"#([A-Z][A-Z0-9_]*)=(.*)$")


def groups(text: str) -> Iterator[tuple[str, list[tuple[str, str]], str]]:
    """(section, [(variable, default)], what for) of each paragraph of the example file."""
    section, words, variables = "", list[str](), list[tuple[str, str]]()
    for line in [*text.splitlines(), ""]:
        variable = _VARIABLE.match(line)
        if not variable and variables:  # the first line after variables is about the next ones
            yield section, variables, " ".join(words)
            words, variables = [], []
        if title := _SECTION.match(line):
            section, words = title[1], []
        elif variable:
            variables.append((variable[1], variable[2]))
        elif line.startswith("# "):
            words.append(line[2:])


def allowed(schema: dict[str, Any]) -> str:
    """What the JSON schema of a field bounds, in words; empty where only the text can tell."""
    for part in (schema, *schema.get("anyOf", ())):
        if "enum" in part:
            return ", ".join(f"`{value}`" for value in part["enum"])
        if part.get("type") == "boolean":
            return "`true`, `false`"
        low, high = part.get("minimum"), part.get("maximum")
        if low is not None and high is not None:
            return f"{low:,} to {high:,}"
        if low is not None:
            return f"{low:,} or more"
        if "pattern" in part:
            return f"`{part['pattern']}`"
    return ""


def _schema(name: str) -> dict[str, Any]:
    whole = Settings.model_json_schema(mode="serialization")
    field: dict[str, Any] = whole["properties"].get(name.lower(), {})
    reference = field.get("$ref", "").rpartition("/")[2]
    return {**field, **whole.get("$defs", {}).get(reference, {})}


class SettingsTable(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        for source in (EXAMPLE, runtime.settings.__file__, runtime.conduct.__file__):
            self.env.note_dependency(str(source))
        lines, last = list[str](), ""
        for section, variables, words in groups(EXAMPLE.read_text()):
            if section != last:
                lines += [f"## {section}", ""]
                last = section
            lines.append(" · ".join(f"`{name}`" + (f" = `{value}`" if value else "") for name, value in variables))
            bounds = [
                (f"`{name}`: " if len(variables) > 1 else "") + bound
                for name, _ in variables
                if (bound := allowed(_schema(name)))
            ]
            lines += [f": {words or 'As its name says.'}" + (f" *Allowed:* {'; '.join(bounds)}." if bounds else ""), ""]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("settings", SettingsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
