"""The documents of this package say what is so: their code is the code, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.messaging.installed import announce

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "adding-a-provider.md"
EXAMPLE = ROOT / "examples" / "provider"

_BLOCK = re.compile(
    r"^(?:`(?P<path>[\w./]+)`[^\n]*:\n\n)?```(?P<kind>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


def blocks(document, kind):
    """(the file it is of or None, its text) of every code block of a kind."""
    return [(found["path"], found["code"]) for found in _BLOCK.finditer(document.read_text()) if found["kind"] == kind]


def lines(text):
    """Without blank ones: where a file is cut into blocks, none is left of them."""
    return [line for line in text.splitlines() if line.strip()]


def shown():
    """The files that the guide shows, put together again."""
    files = {}
    for path, code in blocks(GUIDE, "python") + blocks(GUIDE, "toml"):
        if path:
            files[path] = files.get(path, "") + code
    return files


def test_the_guide_shows_the_whole_package():
    there = {
        path.relative_to(EXAMPLE).as_posix() for kind in ("*.py", "pyproject.toml") for path in EXAMPLE.rglob(kind)
    }
    assert set(shown()) == there


@pytest.mark.parametrize("path", sorted(shown()))
def test_the_guide_shows_each_file_as_it_is(path):
    assert lines(shown()[path]) == lines((EXAMPLE / path).read_text())


def test_the_guides_last_block_runs(tmp_path, monkeypatch):
    announce(tmp_path, "pigeonhole-provider", {"pigeonhole": "pigeonhole.backend:PigeonholeBackend"})
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLE)
    monkeypatch.chdir(tmp_path)
    [code] = [code for path, code in blocks(GUIDE, "python") if path is None]
    exec(compile(code, str(GUIDE), "exec"), {"__name__": "__main__"})
    assert "Dear Ada, hello." in next((tmp_path / "letters").glob("*.lines")).read_text()
