"""`make check` asks here whether the dependencies are installed as locked, pinned by hash, and known to be vulnerable.

The last question needs a network: an answer holds for a day, and without a network it is left out, aloud. What has no
fix yet is told and fails nothing, since nobody here could do anything about it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-dev.lock")
# Beside what it speaks of, so that it goes with it.
CACHE = ROOT / ".venv" / ".audit.json"
DAY = 24 * 60 * 60
# For all questions to the service together: one for each package, each within 5 s.
PATIENCE = 180

# Advisories that do not concern us: id to the reason, which says what would have to change for it to concern us.
ACCEPTED: Mapping[str, str] = {}

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^ ;\\]+)(?P<rest>.*)")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_AWAY = re.compile(r"ConnectionError|ConnectTimeout|ReadTimeout|Could not connect|ServiceError")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a lock, with those that belong to it."""

    name: str
    version: str
    marker: str
    hashes: int


def entries(lock: str) -> Iterator[Entry]:
    """What a lock file pins.

    Raises:
        ValueError: a line pins nothing.
    """
    for line in lock.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        found = _PINNED.match(line)
        if found is None:
            raise ValueError(f"this line pins no version: {line[:60]}")
        marker = found["rest"].partition(";")[2].partition("--hash")[0].strip()
        yield Entry(
            name=found["name"], version=found["version"], marker=marker, hashes=len(_HASH.findall(found["rest"]))
        )


def unpinned(locks: Sequence[Path]) -> list[str]:
    """What is locked without a hash."""
    found = [(lock, entry) for lock in locks for entry in entries(lock.read_text())]
    return [f"{entry.name} has no hash in {lock.name}" for lock, entry in found if not entry.hashes]


def drifted(locks: Sequence[Path]) -> list[str]:
    """What is installed in another version than any that is locked."""
    locked: dict[str, set[str]] = {}
    for lock in locks:
        for entry in entries(lock.read_text()):
            locked.setdefault(entry.name, set()).add(entry.version)
    wrong = []
    for name, versions in sorted(locked.items()):
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # of another system or Python
        if installed not in versions:
            wrong.append(f"{name} is installed as {installed}, and locked as {', '.join(sorted(versions))}")
    return wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A vulnerability of what is locked. `fixed` is empty where there is no version without it."""

    package: str
    id: str
    fixed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.package}: {self.id}, fixed in {', '.join(self.fixed) or 'no version yet'}"


def vulnerable(lock: Path, url: str | None = None) -> list[Known] | None:
    """What is known against what is locked; None where nobody could be asked.

    Raises:
        RuntimeError: pip-audit cannot do its work.
    """
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--require-hashes"]
    command += ["--vulnerability-service", "osv", "--timeout", "5", "--progress-spinner", "off", "--format", "json"]
    command += ["--osv-url", url] if url else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return None
    try:
        found: Any = json.loads(done.stdout)
    except ValueError:
        if _AWAY.search(done.stderr):
            return None
        raise RuntimeError(done.stderr.strip().splitlines()[-1]) from None
    return [
        Known(package=f"{one['name']} {one['version']}", id=known["id"], fixed=tuple(known["fix_versions"]))
        for one in found["dependencies"]
        for known in one.get("vulns", ())
        if known["id"] not in ACCEPTED
    ]


def audit(
    locks: Sequence[Path], cache: Path, *, url: str | None = None, now: Callable[[], float] = time.time
) -> tuple[int, str]:
    """The exit code, and what to say."""
    if wrong := unpinned(locks) + drifted(locks):
        return 1, "\n".join(f"audit: {line}" for line in wrong)
    key = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()
    kept = json.loads(cache.read_text()) if cache.exists() else {}
    if kept.get("locks") == key and now() - kept["at"] < DAY:
        return 0, f"audit: no known vulnerability (asked {(now() - kept['at']) / 3600:.0f} h ago)"
    found = vulnerable(locks[-1], url)  # the last one holds all
    if found is None:
        return 0, "audit: SKIPPED the known vulnerabilities, nobody can be asked; versions and hashes are as locked"
    if found:
        return int(any(known.fixed for known in found)), "\n".join(f"audit: {known}" for known in found)
    cache.write_text(json.dumps({"locks": key, "at": now()}))
    return 0, "audit: no known vulnerability"


def main() -> int:
    """Say what was found; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="the advisory service, OSV's by default")
    code, said = audit(LOCKS, CACHE, url=parser.parse_args().url)
    sys.stdout.write(said + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
