"""What stands under docker/ for operators: manifests, units, rules and a dashboard that name only what exists."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

import vendorrisk
import vendorrisk.app
import vendorrisk.worker
from vendorrisk.__main__ import main
from vendorrisk.processes import metrics as process_metrics
from vendorrisk.release import VERSION
from vendorrisk.settings import FILE_SUFFIX, VARIABLES, from_environment

ROOT = Path(vendorrisk.__file__).parents[1]
DOCKER = ROOT / "docker"
MANIFESTS = sorted((DOCKER / "kubernetes").glob("*.yaml"))
UNITS = sorted((DOCKER / "systemd").iterdir())
KNOWN = {name + suffix for name in VARIABLES.values() for suffix in ("", FILE_SUFFIX)}
OF_SYSTEMD = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
OF_CLIENT = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
_METRIC = re.compile(r"\b(vendorrisk_\w+|process_\w+)\b")


def documents() -> list[dict[str, Any]]:
    return [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def containers() -> list[dict[str, Any]]:
    pods = [one["spec"]["template"]["spec"] for one in documents() if "template" in one.get("spec", {})]
    return [container for pod in pods for container in pod["containers"]]


def metrics_there() -> set[str]:
    """Return every series that API and worker serve: loaded here, they have registered all of theirs."""
    assert process_metrics.BUILD, "of the processes as well"
    found = set()
    for family in REGISTRY.collect():
        kinds = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
        found |= {family.name + suffix for suffix in kinds.get(family.type, ("",))}
    return found


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_every_manifest_is_valid_for_kubernetes(path: Path) -> None:
    import kubernetes_validate

    for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        kubernetes_validate.validate(document, "1.31", strict=True)


def test_the_manifests_run_this_release_confined_and_give_it_time_to_drain() -> None:
    assert {one["image"] for one in containers()} == {f"vendorrisk:{VERSION}"}
    for container in containers():
        assert main.commands[container["args"][0]]  # type: ignore[attr-defined]  # a click group
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
    for one in documents():
        if one["kind"] in {"Deployment", "Job"}:
            pod = one["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["automountServiceAccountToken"] is False
    [settings] = [one["data"] for one in documents() if one["kind"] == "ConfigMap"]
    delay = float(settings["VENDORRISK_SHUTDOWN_DELAY_SECONDS"])
    [api] = [one for one in documents() if one["kind"] == "Deployment" and one["metadata"]["name"] == "vendorrisk-api"]
    pod = api["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= delay + 7 + 5
    probe = pod["containers"][0]["readinessProbe"]
    assert delay >= probe["periodSeconds"] * probe["failureThreshold"], "it serves until it is taken out"


def test_the_manifests_settings_are_settings_and_their_secrets_are_made() -> None:
    [settings] = [one["data"] for one in documents() if one["kind"] == "ConfigMap"]
    more = {entry["name"]: entry["value"] for container in containers() for entry in container.get("env", ())}
    assert {*settings, *more} <= KNOWN
    assert from_environment({key: value for key, value in settings.items() if not key.endswith(FILE_SUFFIX)})
    made = set(re.findall(r"^make (\w+)", (DOCKER / "make-secrets").read_text(encoding="utf-8"), re.MULTILINE))
    for value in (*settings.values(), *more.values()):
        if value.startswith("/run/secrets/vendorrisk/"):
            assert value.rpartition("/")[2] in made
    services = [one for one in documents() if one["kind"] == "Service"]
    assert all(port["name"] != "metrics" for one in services for port in one["spec"]["ports"])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_names_commands_and_settings_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for command in re.findall(r"-m vendorrisk (\w+)", text):
        assert command in main.commands  # type: ignore[attr-defined]  # a click group
    for line in re.findall(r"^Environment=(.*)$", text, re.MULTILINE):
        names = {pair.partition("=")[0] for pair in line.split()}
        assert names <= KNOWN | OF_SYSTEMD, names
    loaded = set(re.findall(r"^LoadCredential=(\w+):", text, re.MULTILINE))
    assert set(re.findall(r"%d/(\w+)", text)) == loaded
    if "ExecStart" in text:
        assert {"User=vendorrisk", "NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077"} <= set(
            text.splitlines()
        )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    places = []
    for path in UNITS:
        place = tmp_path / path.name
        text = path.read_text(encoding="utf-8").replace("/opt/vendorrisk/.venv/bin/python", sys.executable)
        place.write_text(re.sub(r"^(User|Group)=vendorrisk$", r"\1=root", text, flags=re.MULTILINE), encoding="utf-8")
        places.append(place)
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *places], check=False, capture_output=True, text=True, timeout=120
    )
    ours = [line for line in ran.stderr.splitlines() if "vendorrisk" in line and "Cannot open bus" not in line]
    assert ours == []


def rules() -> list[dict[str, Any]]:
    read = yaml.safe_load((DOCKER / "prometheus" / "rules.yaml").read_text(encoding="utf-8"))
    return [rule for group in read["groups"] for rule in group["rules"]]


def test_every_rule_says_what_is_wrong_and_what_to_do_and_its_metrics_exist() -> None:
    there = metrics_there()
    for rule in rules():
        assert re.fullmatch(r"Vendorrisk[A-Z]\w+", rule["alert"])
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "action"}
        named = set(_METRIC.findall(rule["expr"]))
        assert named, rule["alert"]
        assert named - there == set(), rule["alert"]
    assert len({rule["alert"] for rule in rules()}) == len(rules()) > 10


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_prometheus_takes_the_rules() -> None:
    ran = subprocess.run(
        ["promtool", "check", "rules", DOCKER / "prometheus" / "rules.yaml"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_metric_of_the_dashboard_stands_at_metrics_and_every_metric_of_ours_is_shown() -> None:
    dashboard = json.loads((DOCKER / "grafana" / "vendorrisk.json").read_text(encoding="utf-8"))
    shown = {name for panel in dashboard["panels"] for one in panel["targets"] for name in _METRIC.findall(one["expr"])}
    there = metrics_there()
    assert shown - there - OF_CLIENT == set()
    alerted = {name for rule in rules() for name in _METRIC.findall(rule["expr"])}
    ours = {family.name for family in REGISTRY.collect() if family.name.startswith("vendorrisk_")}
    base = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in shown | alerted}
    assert sorted(ours - base) == sorted(UNSHOWN)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert not re.search(r"https?://", json.dumps(dashboard)), "it names no host"


UNSHOWN = {"vendorrisk_heartbeats", "vendorrisk_job_last_run_timestamp_seconds", "vendorrisk_signal_feed_fetches"}
"""Metrics that neither a rule nor the dashboard shows."""


def test_labels_in_rules_and_dashboard_are_labels_of_their_metrics() -> None:
    labels = {
        metric + suffix: set(collector._labelnames)  # type: ignore[attr-defined]  # the client's own
        for metric, collector in REGISTRY._names_to_collectors.items()
        for suffix in ("",)
        if hasattr(collector, "_labelnames")
    }
    texts = [rule["expr"] for rule in rules()]
    dashboard = json.loads((DOCKER / "grafana" / "vendorrisk.json").read_text(encoding="utf-8"))
    texts += [one["expr"] for panel in dashboard["panels"] for one in panel["targets"]]
    faults = []
    for text in texts:
        for metric, inside in re.findall(r"(vendorrisk_\w+)\{([^}]*)\}", text):
            named = set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"", inside))
            faults += [f"{metric}: {sorted(named)}"] if named - labels[metric] else []
    assert faults == []


def test_the_release_is_the_projects() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^version = "(.*)"', project, re.MULTILINE)[1] == VERSION  # type: ignore[index]  # fails where it is absent


def test_the_readme_has_upgrade_notes_for_this_release() -> None:
    text = (DOCKER / "README.md").read_text(encoding="utf-8")
    assert f"### {VERSION}" in text
    assert "vendorrisk backup" in text
    assert "vendorrisk restore" in text
