"""Processor time of processes, from /proc: user and system time of each with all of its descendants."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def read(pids: Mapping[str, int]) -> dict[str, float]:
    """Milliseconds each of the named processes has used since it was started.

    Raises:
        RuntimeError: one of them is gone.
    """
    processes = dict(_processes())
    for name, pid in pids.items():
        if pid not in processes:
            raise RuntimeError(f"{name} has died; what was measured is not one run")
    return {name: _tree(pid, processes) * 1000 / _TICKS for name, pid in pids.items()}


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used between two readings."""
    return {name: after[name] - before[name] for name in after}


def _tree(pid: int, processes: Mapping[int, tuple[int, int]]) -> int:
    children = [child for child, (parent, _) in processes.items() if parent == pid]
    return processes[pid][1] + sum(_tree(child, processes) for child in children)


def _processes() -> list[tuple[int, tuple[int, int]]]:
    """Each process's id with its parent's and its ticks, those of ended and awaited children included."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            # The name is in brackets and may hold anything, so what counts comes after the last bracket (man 5 proc).
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.append((int(entry.name), (int(fields[1]), sum(map(int, fields[11:15])))))
    return found
