"""The audit of dependencies, against an advisory service of our own on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import pytest

from tests import audit
from tests.support.ports import free_port

HASH = "--hash=sha256:" + "0" * 64
ADVISORY = {
    "id": "GHSA-made-up",
    "summary": "made up",
    "aliases": [],
    "affected": [
        {
            "package": {"name": "idna", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
            "versions": [metadata.version("idna")],
        }
    ],
}


class Service(ThreadingHTTPServer):
    """OSV's, with one answer for a package. `asked` are the packages."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.known: dict[str, object] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/query"


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
        self.server.asked.append(name)
        known = self.server.known.get(name)
        answer = json.dumps({"vulns": [known]} if known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        yield service
        service.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "some.lock"
    path.write_text(
        f"idna=={metadata.version('idna')} \\\n    {HASH}\nnowhere==1 ; sys_platform == 'other' \\\n    {HASH}\n"
    )
    return path


def test_what_is_known_against_a_package_fails_the_check_and_names_the_cure(
    service: Service, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.known["idna"] = ADVISORY
    code, said = audit.audit([lock], tmp_path / "cache", url=service.url)

    assert code == 1
    assert said == f"audit: idna {metadata.version('idna')}: GHSA-made-up, fixed in 99.1"
    assert service.asked == ["idna"]
    monkeypatch.setattr(audit, "ACCEPTED", {"GHSA-made-up": "it does not concern this test"})
    assert audit.audit([lock], tmp_path / "cache", url=service.url)[0] == 0


def test_what_nobody_has_fixed_yet_is_told_and_fails_nothing(service: Service, lock: Path, tmp_path: Path) -> None:
    [affected] = ADVISORY["affected"]
    unfixed = {**affected, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}
    service.known["idna"] = {**ADVISORY, "affected": [unfixed]}

    code, said = audit.audit([lock], tmp_path / "cache", url=service.url)
    assert (code, said.endswith("GHSA-made-up, fixed in no version yet")) == (0, True)


def test_the_second_time_in_a_day_nobody_is_asked(service: Service, lock: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = audit.audit([lock], cache, url=service.url, now=lambda: 0.0)
    again = audit.audit([lock], cache, url=service.url, now=lambda: 7_200.0)

    assert (first, service.asked) == ((0, "audit: no known vulnerability"), ["idna"])
    assert again == (0, "audit: no known vulnerability (asked 2 h ago)")
    # Another lock or another day is another question.
    audit.audit([lock], cache, url=service.url, now=lambda: 90_000.0)
    assert service.asked == ["idna", "idna"]


def test_without_a_network_it_says_so_and_goes_on(lock: Path, tmp_path: Path) -> None:
    code, said = audit.audit([lock], tmp_path / "cache", url=f"http://127.0.0.1:{free_port()}/v1/query")

    assert (code, "SKIPPED" in said) == (0, True)
    assert not (tmp_path / "cache").exists(), "what nobody said is remembered"


WRONG = {
    "no hash": (f"idna=={metadata.version('idna')}\n", "idna has no hash in some.lock"),
    "another version": (f"idna==0.1 \\\n    {HASH}\n", "idna is installed as"),
}


@pytest.mark.parametrize(("text", "why"), WRONG.values(), ids=WRONG.keys())
def test_a_lock_that_does_not_hold_is_wrong_without_any_network(
    text: str, why: str, lock: Path, tmp_path: Path
) -> None:
    lock.write_text(text)
    code, said = audit.audit([lock], tmp_path / "cache", url="http://127.0.0.1:1/")

    assert (code, why in said) == (1, True)


def test_our_own_locks_are_pinned_by_hash() -> None:
    assert audit.unpinned(audit.LOCKS) == []
    assert all(sum(1 for _ in audit.entries(lock.read_text())) > 50 for lock in audit.LOCKS)


def test_a_line_that_pins_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="pins no version"):
        list(audit.entries("idna>=3\n"))
