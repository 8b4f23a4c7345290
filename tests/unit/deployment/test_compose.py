"""docker-compose.yml is one that compose takes, and each service in it is one that may be left alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from runtime.settings import Settings

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docker-compose.yml"
STACK: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = STACK["services"]

# They end when their work is done; all others stay.
ERRANDS = {name for name, service in SERVICES.items() if service.get("restart") == "on-failure"}
STAYING = sorted(set(SERVICES) - ERRANDS)


def test_every_service_is_what_the_specification_of_compose_allows() -> None:
    stack = compose_spec.PyCompose.from_yaml(yaml.safe_dump(STACK))  # it takes no merge keys
    stack.validate()
    assert set(stack.service_names()) == set(SERVICES)


def test_compose_itself_takes_the_file(tmp_path: Path) -> None:
    """What the specification cannot say: anchors, variables, who waits for whom."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("no docker compose here")
    shutil.copy(FILE, tmp_path)
    names = set(re.findall(r"\$\{(\w+):\?", FILE.read_text()))
    (tmp_path / ".env").write_text("".join(f"{name}=made-up\n" for name in names))
    said = subprocess.run(
        [docker, "compose", "config", "--quiet"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_whoever_is_waited_for_is_there_and_can_say_that_it_is_ready() -> None:
    for name, service in SERVICES.items():
        for awaited, how in service.get("depends_on", {}).items():
            assert awaited in SERVICES, name
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[awaited], (name, awaited)
            if how["condition"] == "service_completed_successfully":
                assert awaited in ERRANDS, (name, awaited)


@pytest.mark.parametrize("name", STAYING)
def test_what_stays_is_started_again_and_has_a_bound(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nothing_gains_privileges_fills_the_disk_or_is_open_to_the_network(name: str) -> None:
    service = SERVICES[name]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["logging"]["options"]["max-size"]
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert "privileged" not in service
    assert not [mount for mount in service.get("volumes", ()) if "docker.sock" in str(mount)]


@pytest.mark.parametrize("name", ["api", "worker"])
def test_what_is_ours_runs_with_nothing_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["env_file"] == ".env"


@pytest.mark.parametrize(
    "name", ["api", "worker", "temporal", "temporal-schema", "temporal-namespace", "temporal-ui", "qdrant"]
)
def test_what_needs_no_capability_has_none(name: str) -> None:
    """Postgres begins as root, makes its folder its own, and goes on as its own user."""
    assert SERVICES[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", ["api", "worker"])
def test_nobody_is_killed_while_it_finishes_what_it_has_in_hand(name: str) -> None:
    seconds = float(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    assert seconds >= Settings(_env_file=None).messaging_shutdown_grace + 5


def test_there_are_two_workers() -> None:
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


def test_every_volume_is_used_and_every_variable_is_one_of_the_example() -> None:
    text = FILE.read_text()
    mounted = {str(mount).partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", ())}
    assert set(STACK["volumes"]) <= mounted
    example = (ROOT / ".env.example").read_text()
    for name in re.findall(r"(?<!\$)\$\{(\w+)", text):
        assert re.search(rf"^#{name}=", example, re.MULTILINE), name


def test_no_secret_stands_in_the_file() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|PWD|KEY|TOKEN|SECRET", name):
                assert str(value) == "" or str(value).startswith("${"), name
