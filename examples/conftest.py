"""The examples' tests run against the same server and harness as ours. Each example is a package in its own folder."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.conftest import _own_catalogue, client, temporal_address

__all__ = ["_own_catalogue", "client", "temporal_address"]

for _name in ("appointments", "orders"):
    sys.path.insert(0, str(Path(__file__).parent / _name))
