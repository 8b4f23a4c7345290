"""deploy/ is what Kubernetes takes, names nothing that is not there, and runs with nothing that it does not need.

Each file is checked against Kubernetes' own schemas, and again as kustomize puts them together, where kubectl is here.
A ScaledObject has no schema among them: it was read next to KEDA's documentation.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from runtime.settings import Settings, load

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
KUSTOMIZATIONS = sorted(DEPLOY.rglob("kustomization.yaml"))
OVERLAYS = sorted(path.parent for path in KUSTOMIZATIONS if "overlays" in path.parts)
EXAMPLE = (ROOT / ".env.example").read_text()
# Of others, without a schema here.
CUSTOM = {"ScaledObject"}
# https://keda.sh/docs/2.22/scalers/temporal/
TRIGGER = {
    "endpoint", "namespace", "taskQueue", "targetQueueSize", "activationTargetQueueSize", "queueTypes",
    "workerDeploymentName", "workerDeploymentBuildId", "minConnectTimeout", "unsafeSsl", "tlsServerName", "enableTLS",
}  # fmt: skip


def documents(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def kustomization(path: Path) -> dict[str, Any]:
    [found] = documents(path.read_text())
    return found


def patches(path: Path) -> list[Path]:
    return [path.parent / patch["path"] for patch in kustomization(path).get("patches", ())]


def resources(path: Path) -> list[Path]:
    """The files that a kustomization takes in, folders followed."""
    found: list[Path] = []
    for name in kustomization(path)["resources"]:
        entry = (path.parent / name).resolve()
        found += resources(entry / "kustomization.yaml") if entry.is_dir() else [entry]
    return found


PATCHES = {patch.resolve() for path in KUSTOMIZATIONS for patch in patches(path)}
RESOURCES = sorted({file for path in KUSTOMIZATIONS for file in resources(path)})
WHOLE = [(file, document) for file in RESOURCES for document in documents(file.read_text())]
PODS = [document["spec"]["template"] for _, document in WHOLE if "template" in document.get("spec", {})]


def named(document: dict[str, Any]) -> str:
    return f"{document['kind']}-{document['metadata']['name']}"


def validate(document: dict[str, Any]) -> None:
    if document["kind"] not in CUSTOM:
        version = ".".join(kubernetes_validate.latest_version().split(".")[:2])
        kubernetes_validate.validate(document, version, strict=True)


def test_every_file_is_taken_in_by_a_kustomization() -> None:
    configurations = {
        (path.parent / name).resolve()
        for path in KUSTOMIZATIONS
        for name in kustomization(path).get("configurations", ())
    }
    taken = {*RESOURCES, *PATCHES, *configurations, *KUSTOMIZATIONS}
    assert {file.resolve() for file in DEPLOY.rglob("*.yaml")} == {file.resolve() for file in taken}
    assert [file for file in taken if not file.is_file()] == []


@pytest.mark.parametrize(("_file", "document"), WHOLE, ids=[named(document) for _, document in WHOLE])
def test_each_manifest_is_what_kubernetes_allows(_file: Path, document: dict[str, Any]) -> None:
    validate(document)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_kustomize_puts_each_overlay_together(overlay: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl here")
    made = subprocess.run([kubectl, "kustomize", overlay], capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")
    put_together = documents(made.stdout)
    for document in put_together:
        validate(document)
    deployments = {document["metadata"]["name"] for document in put_together if document["kind"] == "Deployment"}
    for document in put_together:
        if document["kind"] == "ScaledObject":
            assert document["spec"]["scaleTargetRef"]["name"] in deployments


@pytest.mark.parametrize("pod", PODS, ids=[pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in PODS])
def test_each_pod_runs_with_nothing_that_it_does_not_need(pod: dict[str, Any]) -> None:
    spec = pod["spec"]
    [container] = spec["containers"]
    [user] = re.findall(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert (spec["securityContext"]["runAsUser"], spec["securityContext"]["runAsGroup"]) == tuple(map(int, user))
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert container["startupProbe"]
    assert container["livenessProbe"]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {"/tmp"}


@pytest.mark.parametrize("pod", PODS, ids=[pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in PODS])
def test_no_service_of_ours_is_taken_for_a_setting(pod: dict[str, Any]) -> None:
    """By default the address of the service messaging-api would be MESSAGING_API_PORT=tcp://10.0.0.1:80."""
    services = [document["metadata"]["name"] for _, document in WHOLE if document["kind"] == "Service"]
    variables = {f"{name.replace('-', '_')}_port" for name in services}
    assert variables & set(Settings.model_fields)
    assert pod["spec"]["enableServiceLinks"] is False


def test_what_is_selected_is_what_is_labelled() -> None:
    labels = [pod["metadata"]["labels"] for pod in PODS]
    selectors = [
        document["spec"].get("podSelector", document["spec"].get("selector"))
        for _, document in WHOLE
        if document["kind"] in {"Service", "PodDisruptionBudget", "NetworkPolicy", "StatefulSet", "Deployment"}
    ]
    assert len(selectors) == 9
    for selector in selectors:
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= found.items() for found in labels), wanted


def test_what_a_pod_refers_to_is_there() -> None:
    there = {named(document) for _, document in WHOLE} | {"Secret-messaging"}
    for pod in PODS:
        assert f"ServiceAccount-{pod['spec']['serviceAccountName']}" in there
        for source in pod["spec"]["containers"][0]["envFrom"]:
            assert {
                f"ConfigMap-{source.get('configMapRef', {}).get('name')}",
                f"Secret-{source.get('secretRef', {}).get('name')}",
            } & there
    for _, document in WHOLE:
        if document["kind"] == "StatefulSet":
            assert f"Service-{document['spec']['serviceName']}" in there


def test_every_variable_is_one_of_the_example_and_its_value_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}
    for file in [*RESOURCES, *PATCHES]:
        for document in documents(file.read_text()):
            given |= document.get("data", {})
            for container in document.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ()):
                given |= {variable["name"]: variable["value"] for variable in container.get("env", ())}
    assert len(given) > 10
    assert [name for name in given if f"\n#{name}=" not in EXAMPLE] == []
    assert not [name for name in given if re.search(r"TOKEN|SECRET|PASSWORD|_KEY", name)]
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    load(_env_file=None, messaging_api_tokens=("a-token-of-thirty-two-characters",))


def test_the_spool_has_a_disk_of_its_own_that_stays() -> None:
    [stateful] = [document for _, document in WHOLE if document["kind"] == "StatefulSet"]
    [claim] = stateful["spec"]["volumeClaimTemplates"]
    [container] = stateful["spec"]["template"]["spec"]["containers"]
    [mount] = [mount for mount in container["volumeMounts"] if mount["name"] == claim["metadata"]["name"]]
    [config] = [document for _, document in WHOLE if document["kind"] == "ConfigMap"]
    assert mount["mountPath"] == config["data"]["MESSAGING_DATA_DIR"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert set(stateful["spec"]["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
    megabytes = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")) * 1024
    assert megabytes >= 2 * Settings(_env_file=None).messaging_spool_megabytes


def test_nobody_is_killed_while_it_finishes_what_it_has_in_hand() -> None:
    grace = Settings(_env_file=None).messaging_shutdown_grace
    for pod in PODS:
        [container] = pod["spec"]["containers"]
        before = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert pod["spec"]["terminationGracePeriodSeconds"] >= before + grace + 5


def test_workers_are_scaled_by_the_queue_that_they_work_on() -> None:
    [config] = [document for _, document in WHOLE if document["kind"] == "ConfigMap"]
    objects = [
        document
        for file in [*RESOURCES, *PATCHES]
        for document in documents(file.read_text())
        if document["kind"] == "ScaledObject"
    ]
    assert len(objects) == 2
    for scaled in objects:
        [trigger] = scaled["spec"]["triggers"]
        assert set(trigger["metadata"]) <= TRIGGER
        assert all(isinstance(value, str) for value in trigger["metadata"].values())
        assert trigger["metadata"]["taskQueue"] == Settings(_env_file=None).temporal_task_queue
        assert trigger["metadata"]["endpoint"] == config["data"]["TEMPORAL_ADDRESS"]
        assert trigger["metadata"]["namespace"] == config["data"]["TEMPORAL_NAMESPACE"]


def test_a_build_is_named_in_one_way() -> None:
    """In the names, the labels, the image, the setting and what is scaled by."""
    build = "\n".join(file.read_text() for file in (DEPLOY / "overlays" / "build").glob("*.yaml"))
    assert len(set(re.findall(r"\d{4}-\d{2}-\d{2}", build))) == 1
    [tag] = {match[1] for match in re.finditer(r'MESSAGING_BUILD_ID, value: "([^"]+)"', build)}
    assert f'workerDeploymentBuildId: "{tag}"' in build
    assert f'newTag: "{tag}"' in build
