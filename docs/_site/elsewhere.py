"""Links to what is outside `docs/`, written as GitHub follows them; and a look that no page loads anything from afar.

A page that only includes a file, as `architecture.md` does, is that file's place on the site: links to the file lead to
the page. A link to another file gives the file; one to a folder is text.
"""

from __future__ import annotations

import os
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

_INCLUDED = re.compile(r"^```\{include\} (\S+)", re.MULTILINE)
# A link or picture of Markdown: [text](path#anchor).
_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\[\]\n]+)\]\((?P<path>[^()\s#:]+)(?P<anchor>#[^()\s]*)?\)")
# A folder's README is the way to all that is in it.
_ALL_BESIDE = "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
# What a browser fetches without being asked. A link is followed by whoever wants to.
_LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}


@cache
def _pages(docs: Path) -> dict[Path, str]:
    """The page of each file that a page includes."""
    found = {}
    for page in docs.glob("**/*.md"):
        for path in _INCLUDED.findall(page.read_text()):
            found[(page.parent / path).resolve()] = f"/{page.relative_to(docs).as_posix()}"
    return found


def _rewrite(text: str, folder: Path, docs: Path) -> str:
    def link(found: re.Match[str]) -> str:
        target = (folder / found["path"]).resolve()
        if not target.exists():
            return found[0]  # for the builder to complain about
        if page := _pages(docs).get(target):
            path = page
        elif target.is_relative_to(docs) and target.is_file():
            path = f"/{target.relative_to(docs).as_posix()}"
        elif target.is_file() and target.suffix != ".md":
            path = f"/{os.path.relpath(target, docs)}"
        else:
            return found["text"]
        return f"{found['picture']}[{found['text']}]({path}{found['anchor'] or ''})"

    return _LINK.sub(link, text)


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    page = app.env.doc2path(docname)
    if page.suffix == ".md":
        source[0] = _rewrite(source[0], page.parent, app.srcdir)
    if page.name == "README.md":
        source[0] += _ALL_BESIDE


def _included(app: Sphinx, path: Path, _parent: str, source: list[str]) -> None:
    source[0] = _rewrite(source[0], (app.srcdir / path).resolve().parent, app.srcdir)


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named: dict[str, Any] = dict(attrs)
        if tag == "link" and named.get("rel") not in {"canonical", "index", "search", "next", "prev"}:
            self.found.append(named.get("href") or "")
        elif name := _LOADS.get(tag):
            self.found.append(named.get(name) or "")


def from_afar(page: str) -> list[str]:
    """What a browser that is shown this page asks another host for."""
    loads = _Loads()
    loads.feed(page)
    return [url for url in loads.found if re.match(r"(?!data:)\w+:|//", url)]


def _check(app: Sphinx, failure: Exception | None) -> None:
    if failure is None and app.builder.format == "html":
        for page in Path(app.outdir).glob("**/*.html"):
            if afar := from_afar(page.read_text()):
                raise ExtensionError(f"{page} loads something from elsewhere: {', '.join(afar)}")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", _read)
    app.connect("include-read", _included)
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
