"""What is written for deployment is whole: settings, containers, versions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from tests.processes import ROOT

SETTING = re.compile(r'(?:env\.\w+\(|environ\.get\()\s*"([A-Z_]+)"')
EXAMPLE = re.compile(r"^#?([A-Z_]+)=", re.MULTILINE)
SECRETS = {"SECRET_KEY": "x" * 50, "POSTGRES_PASSWORD": "y" * 20}


def read_compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def find_compose_client() -> list[str] | None:
    plugin = ["docker", "compose"]
    if shutil.which("docker"):
        known = subprocess.run([*plugin, "version"], capture_output=True)
        if known.returncode == 0:
            return plugin
    return ["docker-compose"] if shutil.which("docker-compose") else None


def test_every_setting_is_in_the_example_and_the_example_names_no_other() -> None:
    used = set()
    for path in ("config/settings.py", "config/management/commands/up.py"):
        used |= set(SETTING.findall((ROOT / path).read_text()))
    compose = set(
        re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text())
    )
    example = set(EXAMPLE.findall((ROOT / ".env.example").read_text()))
    assert used - example == set()
    assert example - used - compose == set()


def test_the_change_log_begins_with_the_products_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_docker_compose_accepts_the_file() -> None:
    client = find_compose_client()
    if client is None:
        pytest.skip("NOT TESTED: no client for docker compose is installed")
    done = subprocess.run(
        [*client, "--profile", "gpu", "config"],
        cwd=ROOT,
        env=os.environ | SECRETS,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "DATABASE_URL: postgres://blindfold:" in done.stdout


def test_every_service_runs_unprivileged_and_tells_its_health() -> None:
    services = read_compose()["services"]
    assert set(services) == {"web", "worker", "gpu", "migrate", "postgres", "redis"}
    for name, service in services.items():
        assert service["user"] not in ("root", "0"), name
        assert "healthcheck" in service or name == "migrate", name


def test_pages_wait_for_the_migration_and_the_gpu_for_its_profile() -> None:
    services = read_compose()["services"]
    for name in ("web", "worker", "gpu"):
        waited = services[name]["depends_on"]["migrate"]["condition"]
        assert waited == "service_completed_successfully"
    assert services["gpu"]["profiles"] == ["gpu"]
    assert "profiles" not in services["worker"]


def test_containers_run_the_same_code_by_environment_alone() -> None:
    services = read_compose()["services"]
    given = set(services["web"]["environment"])
    assert given >= {"SITE_URL", "DATABASE_URL", "BROKER_URL", "CACHE_URL", "DATA_DIR"}
    assert given | {"DEVICE"} == set(services["worker"]["environment"])


OWN = {"DATABASE_URL", "BROKER_URL", "CACHE_URL", "DATA_DIR", "DEVICE"}


@pytest.mark.parametrize("name", ["web", "worker", "gpu", "migrate"])
def test_what_an_operator_writes_into_env_reaches_the_site(name: str) -> None:
    service = read_compose()["services"][name]
    assert service["env_file"] == [{"path": ".env", "required": False}]
    for setting, value in service["environment"].items():
        assert setting in OWN or value.startswith("${" + setting), setting


def test_images_do_not_run_as_root_and_the_web_image_has_no_torch() -> None:
    text = (ROOT / "Dockerfile").read_text()
    base, *stages = text.split("\nFROM base AS ")
    assert len(stages) == 2
    assert all("\nUSER blindfold\n" in stage for stage in stages)
    web = next(stage for stage in stages if stage.startswith("web"))
    assert "requirements.txt" not in base + web


@pytest.mark.parametrize("folder", [".git", ".venv", ".env", "data"])
def test_images_hold_neither_data_nor_secrets(folder: str) -> None:
    assert folder in (ROOT / ".dockerignore").read_text().split()
