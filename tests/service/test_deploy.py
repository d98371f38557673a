"""The files in deploy/ name settings that exist and run nothing as root."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from comedo.service.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted(path.name for path in DEPLOY.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_only_settings_that_exist_are_named(name: str) -> None:
    named = set(re.findall(r"COMEDO_([A-Z0-9_]+)", (DEPLOY / name).read_text("utf-8")))
    assert named
    assert {setting.lower() for setting in named} <= set(Settings.model_fields)


def test_the_compose_file_starts_the_service_its_database_and_its_store() -> None:
    read = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = read["services"]
    assert set(services) == {"comedo", "bucket", "database", "objects"}
    assert all(port.startswith("127.0.0.1:") for service in services.values() for port in service.get("ports", ()))
    assert (services["comedo"]["read_only"], services["comedo"]["cap_drop"]) == (True, ["ALL"])
    volumes = {name.partition(":")[0] for service in services.values() for name in service.get("volumes", ())}
    assert volumes == set(read["volumes"])


def test_the_secrets_of_the_compose_file_have_no_default() -> None:
    text, example = ((DEPLOY / name).read_text("utf-8") for name in ("compose.yaml", "example.env"))
    needed = set(re.findall(r"\$\{(\w+):\?", text))
    assert needed == set(re.findall(r"^(\w+)=", example, re.M))
    assert not re.search(r"(KEY|PASSWORD)=.", example)


def test_the_manifest_runs_as_nobody_with_a_health_check() -> None:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8")))
    kinds: dict[str, Any] = {document["kind"]: document for document in documents}
    assert set(kinds) == {"ConfigMap", "Deployment", "Service"}
    pod = kinds["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    assert "USER 10001" in (DEPLOY / "Containerfile").read_text("utf-8")
