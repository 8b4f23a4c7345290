"""The table of what a conversation does names tests, settings and files that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "conversation.md").read_text()
TESTS = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", TEXT)))
SETTINGS = sorted(set(re.findall(r"`(MESSAGING_[A-Z_]+)", TEXT)) - {"MESSAGING_INTERLEAVINGS"})
FILES = sorted(set(re.findall(r"`((?:\w+/)*[a-z_]+\.py)`", TEXT)))


def test_the_table_has_rows() -> None:
    assert len(TESTS) > 40


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_each_test_that_is_named_is_there(file: str, name: str) -> None:
    assert re.search(rf"def {name}\(", (ROOT / "tests" / "integration" / file).read_text())


@pytest.mark.parametrize("setting", SETTINGS)
def test_each_setting_that_is_named_is_there(setting: str) -> None:
    assert re.search(rf"^#{setting}=", (ROOT / ".env.example").read_text(), re.MULTILINE)


@pytest.mark.parametrize("file", FILES)
def test_each_file_that_is_named_is_there(file: str) -> None:
    assert any((ROOT / folder / file).exists() for folder in ("workflows", "tests/integration", ""))
