"""docker-compose.yml as it is written: what each service has, and that a lack is noticed."""

import copy
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compose.hardening import ONE_SHOT, STORES, faults, memory, passwords
from tests.servers import figures

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
FILE: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, Any] = FILE["services"]
PROCESSES = re.findall(r"^([\w-]+): ", (ROOT / "Procfile").read_text(), re.MULTILINE)


def test_every_service_is_as_closed_as_it_can_be() -> None:
    assert faults(SERVICES) == []


LOST: list[tuple[str, str, Any]] = [
    (name, key, None)
    for name in SERVICES
    for key in (
        *("user", "read_only", "cap_drop", "security_opt", "restart", "logging"),
        *("mem_limit", "cpus", "pids_limit"),
        *(["healthcheck"] if name not in ONE_SHOT else []),
    )
]
WRONG: list[tuple[str, str, Any]] = [
    ("backend", "user", "0"),
    ("backend", "cap_add", ["NET_ADMIN"]),
    ("backend", "privileged", True),
    ("backend", "image", "plugproof"),
    ("backend", "image", "registry:5000/plugproof"),
    ("redis", "image", "redis:latest"),
    ("redis", "ports", ["6379:6379"]),
    ("redis", "ports", ["0.0.0.0:6379:6379"]),
    ("redis", "ports", [{"target": 6379, "published": "6379"}]),
    ("redis", "network_mode", "host"),
    ("flower", "volumes", ["/var/run/docker.sock:/var/run/docker.sock"]),
    ("migrate", "restart", "unless-stopped"),
    ("worker-order", "stop_grace_period", "30s"),
    ("worker-order", "stop_grace_period", None),
    ("nginx", "networks", ["front", "data"]),
]


@pytest.mark.parametrize(("name", "key", "value"), LOST + WRONG)
def test_a_service_that_is_open_is_noticed(name: str, key: str, value: Any) -> None:
    services = copy.deepcopy(SERVICES)
    if value is None:
        del services[name][key]
    else:
        services[name][key] = value
    assert [one.partition(":")[0] for one in faults(services)] == [name] * len(faults(services))
    assert faults(services)


def test_no_password_is_in_the_file() -> None:
    # Flower signs nothing: its key is there because the settings want one.
    assert passwords(SERVICES) == ["flower: SECRET_KEY"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DB_PASSWORD", "hunter2"), ("REDIS_URL", "redis://:hunter2@redis:6379/0")],
)
def test_a_password_in_the_file_is_noticed(variable: str, value: str) -> None:
    assert passwords({"web": {"environment": {variable: value}}}) == [f"web: {variable}"]


def test_all_of_it_fits_into_a_laptop_with_8_gb() -> None:
    kept = {name: most for name, most in memory(SERVICES).items() if name != "nginx-tls"}
    total = sum(kept.values()) / 2**30
    figures.append(f"docker-compose.yml: at most {total:.1f} GiB of memory in all")
    assert total < 6.5  # the rest is the machine's own


def test_every_process_of_the_procfile_is_a_service() -> None:
    commands = {word for service in SERVICES.values() for word in service.get("command", [])}
    assert set(PROCESSES) <= commands


def test_nothing_of_ours_starts_before_the_tables_and_queues_are_there() -> None:
    ours = {name for name, one in SERVICES.items() if one["image"] == "plugproof:local"}
    waiting = {name: SERVICES[name]["depends_on"] for name in ours - {"migrate"}}
    done = {"condition": "service_completed_successfully"}
    assert {name: waited["migrate"] for name, waited in waiting.items()} == dict.fromkeys(
        waiting, done
    )
    assert len(ours) == len(PROCESSES) + 1


def test_nothing_waits_for_a_part_that_the_shop_can_do_without() -> None:
    optional = {"elasticsearch", "redis", "db-replica", "mailpit", "flower"}
    waited = {name for one in SERVICES.values() for name in one.get("depends_on", {})}
    assert not waited & optional
    assert optional - {"mailpit", "flower"} <= STORES


def test_the_shell_scripts_and_the_dockerfile_have_nothing_to_complain_about() -> None:
    scripts = [
        *(ROOT / "deploy").rglob("*.sh"),
        *(ROOT / "tests" / "compose").rglob("*.sh"),
    ]
    assert len(scripts) > 5
    for linter, options, files in (
        ("shellcheck", ["-x"], scripts),
        ("hadolint", [], [ROOT / "deploy" / "backend" / "Dockerfile"]),
    ):
        program = shutil.which(linter)
        assert program, f"{linter} is in requirements/test.txt"
        ended = subprocess.run(  # noqa: S603 ours
            [program, *options, *files], capture_output=True, text=True, check=False
        )
        assert ended.stdout == ""
