"""`make env`: what is written once, and that docker-compose.yml needs nothing else."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "make_env.sh"
COMPOSE = (ROOT / "docker-compose.yml").read_text()
_LOCAL = {"ALLOWED_HOSTS": "localhost,127.0.0.1", "SECURE_SSL_REDIRECT": "false"}
_PUBLIC = {"ALLOWED_HOSTS": "shop.example", "SECURE_SSL_REDIRECT": "true"}


def make(place: Path, *, domain: str = "") -> dict[str, str]:
    place.mkdir(exist_ok=True)
    subprocess.run(  # noqa: S603 ours
        ["/bin/sh", SCRIPT],
        cwd=place,
        env={"PATH": os.environ["PATH"], "DOMAIN": domain},
        check=True,
        capture_output=True,
    )
    lines = (place / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def secrets_in(made: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in made.items() if re.search("PASSWORD|KEY", name)}


def test_every_password_is_its_own_and_long_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    here, there = (secrets_in(make(tmp_path / name)) for name in ("here", "there"))
    assert len(here) > 10
    assert len(set(here.values()) | set(there.values())) == 2 * len(here)
    assert all(re.fullmatch("[0-9a-f]{48}", value) for value in here.values())
    assert (tmp_path / "here" / ".env").stat().st_mode & 0o777 == 0o600


def test_what_is_there_stays_because_volumes_were_made_with_it(tmp_path: Path) -> None:
    assert make(tmp_path) == make(tmp_path, domain="shop.example")


@pytest.mark.parametrize(("domain", "says"), [("", _LOCAL), ("shop.example", _PUBLIC)])
def test_a_shop_on_this_machine_does_without_https_and_no_other(
    tmp_path: Path, domain: str, says: dict[str, str]
) -> None:
    made = make(tmp_path, domain=domain)
    assert {name: made[name] for name in says} == says
    assert made["COOKIE_SECURE"] == says["SECURE_SSL_REDIRECT"]


def test_every_variable_without_a_default_is_made(tmp_path: Path) -> None:
    wanted = set(re.findall(r"\$\{([A-Z_]+)(?::-\}|:\?)", COMPOSE))
    optional = {"PIP_INDEX_URL", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"}
    assert wanted - optional <= set(make(tmp_path))


def test_every_password_that_is_made_is_used() -> None:
    lines = SCRIPT.read_text()
    made = set(re.findall(r"^([A-Z_]+)=\$\(secret\)$", lines, re.MULTILINE))
    assert made
    assert made <= set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))


def test_nobody_gets_a_password_that_he_does_not_need() -> None:
    services = yaml.safe_load(COMPOSE)["services"]
    knows = {
        password: {
            name
            for name, service in services.items()
            if f"${{{password}:-}}" in str(service.get("environment"))
        }
        for password in re.findall(r"\$\{(\w+_PASSWORD|JWT_SIGNING_KEY):-\}", COMPOSE)
    }
    assert knows["DB_SUPERUSER_PASSWORD"] == {"db-primary"}
    assert knows["DB_MIGRATOR_PASSWORD"] == {"db-primary", "migrate"}
    assert knows["DB_REPLICATOR_PASSWORD"] == {"db-primary", "db-replica"}
    assert knows["RABBITMQ_ADMIN_PASSWORD"] == {"rabbitmq", "migrate"}
    assert knows["RABBITMQ_RELAY_PASSWORD"] == {"relay", "migrate"}
    assert knows["JWT_SIGNING_KEY"] == {"backend"}
    assert knows["FLOWER_PASSWORD"] == {"flower"}
    assert not knows["RABBITMQ_WORKER_PASSWORD"] & {"backend", "relay", "flower"}
    assert "flower" not in knows["DB_USER_PASSWORD"] | knows["REDIS_PASSWORD"]
