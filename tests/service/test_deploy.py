"""The files in deploy/ agree with the code: settings, commands, routes, paths. No container engine is needed."""

from __future__ import annotations

import json
import os
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from comedo.cli import app as commands
from comedo.service.admin_cli import app as admin
from comedo.service.api import operations
from comedo.service.app import allowed_hosts
from comedo.service.settings import Settings, read_settings
from service.places import MASTER_KEY

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILES = sorted(path.name for path in DEPLOY.iterdir())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# What is used of the Compose specification: a misspelt key is none of them.
COMPOSE_KEYS = {"name", "x-comedo", "services", "volumes", "configs"}
SERVICE_KEYS = {
    *("image", "build", "command", "environment", "ports", "volumes", "configs", "depends_on", "healthcheck"),
    *("restart", "deploy", "read_only", "tmpfs", "cap_drop", "security_opt"),
}
CHOSEN = {"COMEDO_MASTER_KEY": MASTER_KEY, "COMEDO_PUBLIC_URL": "https://skin.example.org"}


def read(name: str) -> str:
    return (DEPLOY / name).read_text("utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(read("compose.yaml"))
    return loaded


@pytest.fixture(scope="module")
def manifest() -> dict[str, dict[str, Any]]:
    return {document["kind"]: document for document in yaml.safe_load_all(read("kubernetes.yaml"))}


def instructions(name: str) -> list[str]:
    """What follows an instruction of the container file, each time."""
    text = re.sub(r"(?m)^#.*\n", "", read("Containerfile")).replace("\\\n", " ")
    return [line.removeprefix(name).strip() for line in text.splitlines() if line.startswith(f"{name} ")]


def image_environment() -> dict[str, str]:
    words = [word.partition("=") for line in instructions("ENV") for word in shlex.split(line)]
    return {name: value for name, _, value in words}


def filled_in(value: str) -> str:
    """A value of the compose file, its variables chosen or by their default."""

    def one(found: re.Match[str]) -> str:
        default = found[3] if found[2] == "-" else "a-secret-of-our-own"
        return CHOSEN.get(found[1], default)

    return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", one, value)


def settings_of(environment: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that a container with this environment starts with."""
    monkeypatch.chdir(folder)  # no .env there
    for name in [name for name in os.environ if name.startswith("COMEDO_")]:
        monkeypatch.delenv(name)
    for name, value in (image_environment() | environment).items():
        if name.startswith("COMEDO_"):
            monkeypatch.setenv(name, value)
    return read_settings()


def check_command(words: list[str]) -> None:
    """The words are a command of comedo."""
    program, command, *further = words
    assert (program, command in names_of(commands)) == ("comedo", True)
    assert not further or (command, further[0] in names_of(admin)) == ("admin", True)


def names_of(app: typer.Typer) -> set[str]:
    return set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", FILES)
def test_only_settings_that_exist_are_named(name: str) -> None:
    named = set(re.findall(r"COMEDO_([A-Z0-9_]+)", read(name)))
    assert named
    assert {setting.lower() for setting in named} <= set(Settings.model_fields)


def test_the_container_file_copies_what_is_there_and_runs_what_exists() -> None:
    sources = [word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]]
    assert {"src", "pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} <= set(sources)
    assert [source for source in sources if not (ROOT / source).exists()] == []
    extras = next(line.partition("=")[2] for line in instructions("ARG") if line.startswith("EXTRAS="))
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    (command,) = instructions("CMD")
    check_command(json.loads(command))
    assert instructions("USER") == ["10001"]
    assert instructions("VOLUME") == [image_environment()["COMEDO_DATA_DIR"]]
    assert instructions("EXPOSE") == [image_environment()["COMEDO_PORT"]]


def test_its_health_check_is_a_program_that_asks_a_route() -> None:
    (check,) = instructions("HEALTHCHECK")
    _, flag, program = json.loads(check.partition("CMD ")[2])
    assert flag == "-c"
    compile(program, "health", "exec")
    assert re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", program) == [(image_environment()["COMEDO_PORT"], "/health")]
    assert "/health" in {route.path for route in operations.router.routes}  # type: ignore[attr-defined]


def test_every_image_names_its_version(compose: dict[str, Any], manifest: dict[str, dict[str, Any]]) -> None:
    (container,) = manifest["Deployment"]["spec"]["template"]["spec"]["containers"]
    built = {service["image"] for service in compose["services"].values() if "build" in service}
    images = {line.split()[0] for line in instructions("FROM")} | {container["image"]}
    images |= {service["image"] for service in compose["services"].values()} - built
    assert built == {"comedo"}
    assert [image for image in images if not re.search(r":\d+(\.\d+)*(-\w+)?$", image)] == []
    assert container["image"].endswith(f":{PROJECT['version']}")


def test_the_compose_file_starts_the_service_its_database_and_its_store(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"comedo", "bucket", "database", "objects"}
    assert set(compose) <= COMPOSE_KEYS
    assert {key for service in services.values() for key in service} <= SERVICE_KEYS
    assert all(port.startswith("127.0.0.1:") for service in services.values() for port in service.get("ports", ()))
    assert (services["comedo"]["read_only"], services["comedo"]["cap_drop"]) == (True, ["ALL"])
    volumes = {name.partition(":")[0] for service in services.values() for name in service.get("volumes", ())}
    assert volumes == set(compose["volumes"])
    configs = {config["source"] for service in services.values() for config in service.get("configs", ())}
    assert configs == set(compose["configs"])


def test_the_compose_file_waits_for_what_it_can_wait_for(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for name, on in service.get("depends_on", {}).items():
            assert on["condition"] in ("service_started", "service_healthy", "service_completed_successfully")
            assert on["condition"] != "service_healthy" or services[name]["healthcheck"]["test"]
    check_command(services["bucket"]["command"])
    build = services["comedo"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()


def test_the_compose_file_gives_settings_that_start(
    compose: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {name: filled_in(value) for name, value in compose["services"]["comedo"]["environment"].items()}
    known = settings_of(given, tmp_path, monkeypatch)
    assert (known.accounts, known.store, known.on_loopback) == (True, "s3", False)
    assert known.database.startswith("postgresql+psycopg://comedo:a-secret-of-our-own@database/")
    assert f"data:{known.data_dir}" in compose["services"]["comedo"]["volumes"]
    assert re.fullmatch(r"http://objects:\d+", known.s3_endpoint or "")
    identities = json.loads(filled_in(compose["configs"]["objects"]["content"]))["identities"]
    assert known.s3_secret_key is not None
    assert identities[0]["credentials"][0]["secretKey"] == known.s3_secret_key.get_secret_value()


def test_the_secrets_of_the_compose_file_have_no_default() -> None:
    text, example = read("compose.yaml"), read("example.env")
    needed = set(re.findall(r"\$\{(\w+):\?", text))
    assert needed == set(re.findall(r"^(\w+)=", example, re.M))
    assert not re.search(r"(KEY|PASSWORD)=.", example)


def test_the_manifest_runs_as_nobody_with_checks_that_are_answered(
    manifest: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(manifest) == {"ConfigMap", "Deployment", "Service"}
    pod = manifest["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    secret = dict.fromkeys(("COMEDO_DATABASE_URL",), "postgresql://comedo:pw-of-our-own@db/comedo")
    secret |= dict.fromkeys(("COMEDO_S3_ACCESS_KEY", "COMEDO_S3_SECRET_KEY"), "a-secret-of-our-own")
    assert set(re.findall(r"--from-literal=(\w+)", read("kubernetes.yaml"))) == {*secret, "COMEDO_MASTER_KEY"}
    known = settings_of(manifest["ConfigMap"]["data"] | secret | CHOSEN, tmp_path, monkeypatch)
    assert known.store == "s3"
    paths = {route.path for route in operations.router.routes}  # type: ignore[attr-defined]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in paths, probe
        (header,) = asked["httpHeaders"]
        assert header["value"] in allowed_hosts(known), probe
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert set(mounts) == {str(known.data_dir), "/tmp"}
    assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}


def test_the_parts_of_the_manifest_find_each_other(manifest: dict[str, dict[str, Any]]) -> None:
    deployment = manifest["Deployment"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels == manifest["Service"]["spec"]["selector"]
    (container,) = deployment["template"]["spec"]["containers"]
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    assert ports == {manifest["Service"]["spec"]["ports"][0]["targetPort"]: image_environment()["COMEDO_PORT"]}
    names = [next(iter(source.values()))["name"] for source in container["envFrom"]]
    assert names == [manifest["ConfigMap"]["metadata"]["name"], "comedo"]  # the latter: of kubectl create secret
