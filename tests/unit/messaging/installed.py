"""A distribution that looks installed, for as long as its folder is on the path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from messaging.registry import GROUP


def announce(folder: Path, distribution: str, providers: Mapping[str, str]) -> None:
    """Write what an installation would leave there of this distribution's providers."""
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in providers.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))
