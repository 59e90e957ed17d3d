"""The unit for systemd and the example for Kubernetes are right as far as their own tools and this code can tell."""

import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.__main__ import STUCK_SECONDS
from server.config import Config, read_config
from tests.support.root import ROOT

UNIT = ROOT / "package/headwater.service"
MANIFEST = ROOT / "package/kubernetes.yaml"
CONTAINERFILE = ROOT / "package/Containerfile"
VARIABLES = {f"HEADWATER_{field.name.upper()}" for field in fields(Config)}
LONGEST_STOP = Config(data=Path("data")).grace_seconds + STUCK_SECONDS


def unit() -> dict[str, str]:
    """Keys and values of the unit. No key that is read here stands twice."""
    return dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    command = unit()["ExecStart"].split()[0]
    copy.write_text(UNIT.read_text().replace(command, sys.executable))  # the program must be there
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_starts_a_server_that_can_end_in_time() -> None:
    command, *arguments = unit()["ExecStart"].split()
    assert command.endswith("/bin/headwater-server")
    read_config(arguments, {})
    assert unit()["Type"] == "notify"
    assert float(unit()["TimeoutStopSec"]) > LONGEST_STOP


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """The objects of the example, by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all(MANIFEST.read_text())}


@pytest.fixture(scope="module")
def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["StatefulSet"]["spec"]["template"]["spec"]
    return found


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    [found] = pod["containers"]
    assert isinstance(found, dict)
    return found


def test_kubernetes_schema_of_the_example() -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for each in yaml.safe_load_all(MANIFEST.read_text()):
        validator.validate(each, validator.latest_version(), strict=True)


def test_the_example_has_one_server_and_finds_it_by_its_labels(manifest: dict[str, Any]) -> None:
    stateful, service = manifest["StatefulSet"]["spec"], manifest["Service"]
    assert stateful["replicas"] == 1
    assert stateful["serviceName"] == service["metadata"]["name"]
    labels = stateful["template"]["metadata"]["labels"]
    assert labels == stateful["selector"]["matchLabels"] == service["spec"]["selector"]


def test_the_settings_of_the_example_are_settings(container: dict[str, Any]) -> None:
    environment = {entry["name"]: entry.get("value", "a secret") for entry in container["env"]}
    assert set(environment) <= VARIABLES
    config = read_config([], environment)
    assert config.api_key is not None
    mounts = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "data"]
    assert config.data.parent == Path(mounts[0]), "the server makes its folder, and so owns it"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert config.listen == f"0.0.0.0:{ports['grpc']}"
    assert config.http == f"0.0.0.0:{ports['http']}"


def test_ports_probes_and_volumes_have_names_that_exist(
    manifest: dict[str, Any], pod: dict[str, Any], container: dict[str, Any]
) -> None:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for port in manifest["Service"]["spec"]["ports"]:
        assert ports[port["targetPort"]] == port["port"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["grpc"]["port"] == ports["grpc"]
    claims = manifest["StatefulSet"]["spec"]["volumeClaimTemplates"]
    volumes = {volume["name"] for volume in pod["volumes"]} | {claim["metadata"]["name"] for claim in claims}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def test_the_pod_has_no_rights_that_it_does_not_need(pod: dict[str, Any], container: dict[str, Any]) -> None:
    [user] = set(re.findall(r"^USER (\d+):\1$", CONTAINERFILE.read_text(), re.MULTILINE))
    whole, own = pod["securityContext"], container["securityContext"]
    assert whole["runAsNonRoot"]
    assert {whole["runAsUser"], whole["runAsGroup"], whole["fsGroup"]} == {int(user)}
    assert own["readOnlyRootFilesystem"]
    assert not own["allowPrivilegeEscalation"]
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert pod["terminationGracePeriodSeconds"] > LONGEST_STOP
