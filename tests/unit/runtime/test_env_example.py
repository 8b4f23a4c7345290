"""`.env.example` names every variable there is, with its default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from temporalio.envconfig import ClientConfigProfile

from runtime.settings import Settings, load

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / ".env.example"
_VARIABLE = re.compile(r"^#([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)

OURS = {name.upper() for name in Settings.model_fields}
# What docker-compose.yml itself fills in.
STACK = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text())) - OURS
# These two mean nothing without a file of profiles.
TEMPORAL_FILE = {"TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE"}
TEMPORAL = {name for name, _ in _VARIABLE.findall(EXAMPLE.read_text()) if name.startswith("TEMPORAL_")} - OURS


def variables() -> list[tuple[str, str]]:
    return _VARIABLE.findall(EXAMPLE.read_text())


def names() -> set[str]:
    return {name for name, _ in variables()}


def is_another_librarys(name: str) -> bool:
    return name.startswith(("TEMPORAL_", "OTEL_")) and name not in OURS


def test_every_setting_is_in_the_example() -> None:
    assert OURS - names() == set()


def test_every_variable_of_the_compose_file_is_in_the_example() -> None:
    assert STACK - names() == set()


def test_the_example_names_nothing_that_nobody_reads() -> None:
    assert {name for name in names() - OURS - STACK if not is_another_librarys(name)} == set()


def test_no_variable_is_listed_twice() -> None:
    assert len(variables()) == len(names())


def test_nothing_in_the_example_is_switched_on() -> None:
    assert [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")] == []


@pytest.mark.parametrize(("name", "written"), [(n, v) for n, v in variables() if n in OURS])
def test_each_default_in_the_example_is_the_setting_s_own(
    name: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = getattr(load(), name.lower())
    monkeypatch.setenv(name, written)

    assert getattr(load(), name.lower()) == default
    assert (written == "") == (default in (None, ())), "only what has no default is empty"


@pytest.mark.parametrize("name", sorted(TEMPORAL - TEMPORAL_FILE))
def test_each_temporal_variable_is_one_that_temporal_reads(name: str) -> None:
    value = "true" if name == "TEMPORAL_TLS" else "given"

    assert ClientConfigProfile.load(override_env_vars={name: value}).to_dict() != {}


def test_temporal_reads_profiles_from_the_named_file(folder: Path) -> None:
    (folder / "profiles.toml").write_text('[profile.ours]\naddress = "temporal:7233"\n')
    given = {"TEMPORAL_CONFIG_FILE": str(folder / "profiles.toml"), "TEMPORAL_PROFILE": "ours"}

    assert given.keys() == TEMPORAL_FILE
    assert ClientConfigProfile.load(override_env_vars=given).address == "temporal:7233"


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_variable_that_production_must_set_is_marked(name: str) -> None:
    """The marks are the refusals of the settings, and what has no default that fits production."""
    required = {
        *("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL", "MESSAGING_API_TOKENS", "MESSAGING_ID_KEY"),
        *("QDRANT_URL", "QDRANT_API_KEY"),
    }
    before, _, _ = EXAMPLE.read_text().partition(f"\n#{name}=")
    comment: list[str] = []
    for line in reversed(before.splitlines()):
        if not line.startswith("# "):
            break
        comment.insert(0, line)

    assert (" ".join(comment).startswith("# REQUIRED")) == (name in required)
