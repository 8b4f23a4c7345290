"""Settings as a fresh machine has them: an empty folder, and none of our variables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.settings import Settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder. A `.env` written here is read."""
    fields = {name.upper() for name in Settings.model_fields}
    for name in [name for name in os.environ if name.upper() in fields]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path
