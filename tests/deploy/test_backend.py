"""What a container of the shop runs, and that a password which is refused ends it in words."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from deploy.backend import health
from deploy.backend.logins import refusals
from tasks.models import BEAT, RELAY, Heartbeat
from tests.nginx import free_port

ROOT = Path(__file__).resolve().parents[2]
ADVICE = "Was its volume made with another password?"


def with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(
        netloc=f"{parts.username}:{password}@{parts.hostname}:{parts.port}"
    ).geturl()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("DATABASE_URL", "password authentication failed"),
        ("DATABASE_REPLICA_URL", "password authentication failed"),
        ("REDIS_URL", "invalid username-password pair or user is disabled"),
    ],
)
def test_says_who_refuses_whom(name: str, reason: str) -> None:
    url = os.environ[name]
    assert refusals({name: url}) == []
    (line,) = refusals({name: with_password(url, "wrong")})
    user = urlsplit(url).username
    who = f"user {user}" if user else "us"
    assert line == f"{name}: 127.0.0.1 refuses {who}: {reason}. {ADVICE}"


@pytest.mark.rabbitmq
def test_says_that_the_broker_refuses(rabbitmq: str) -> None:
    assert refusals({"CELERY_BROKER_URL": rabbitmq}) == []
    (line,) = refusals({"CELERY_BROKER_URL": with_password(rabbitmq, "wrong")})
    assert "127.0.0.1 refuses user ecommerce: ACCESS_REFUSED" in line
    assert "wrong" not in line
    missing = rabbitmq.rstrip("/") + "/no-such-host"
    assert "no-such-host" in refusals({"CELERY_BROKER_URL": missing})[0]


def test_a_password_may_be_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(with_password(os.environ["DATABASE_URL"], "wrong"))
    (line,) = refusals({"DATABASE_URL_FILE": str(secret)})
    assert line.startswith("DATABASE_URL: ")


@pytest.mark.parametrize(
    "url",
    [
        "postgres://us:wrong@127.0.0.1:{port}/ecommerce",
        "redis://:wrong@127.0.0.1:{port}/0",
        "amqp://us:wrong@127.0.0.1:{port}/shop",
        "amqp://nobody@127.0.0.1:{port}/shop",
        "http://us:wrong@127.0.0.1:{port}",
    ],
)
def test_a_server_that_is_away_refuses_nobody(url: str) -> None:
    assert refusals({"SOME_URL": url.format(port=free_port())}) == []


def backend(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return subprocess.run(  # noqa: S603 ours
        [sys.executable, "-m", "deploy.backend", *words],
        cwd=ROOT,
        env={**given, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_becomes_the_command_that_it_is_given() -> None:
    ended = backend("sh", "-c", "echo $0 is well", "the shop")
    assert (ended.returncode, ended.stdout) == (0, "the shop is well\n")


def test_becomes_a_process_of_the_procfile() -> None:
    urls = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    ended = backend("flower", CELERY_BROKER_URL=os.environ["REDIS_URL"], **urls)
    assert "FLOWER_BASIC_AUTH is not user:password" in ended.stderr
    assert ended.returncode


def test_begins_nothing_while_it_is_refused() -> None:
    url = with_password(os.environ["DATABASE_URL"], "wrong")
    ended = backend("echo", "begun", DATABASE_URL=url)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert "DATABASE_URL: 127.0.0.1 refuses" in ended.stderr


@pytest.mark.django_db(transaction=True)
class TestHealth:
    @pytest.fixture(autouse=True)
    def same_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        url = urlsplit(os.environ["DATABASE_URL"])
        name = connection.settings_dict["NAME"]
        monkeypatch.setenv("DATABASE_URL", url._replace(path=f"/{name}").geturl())

    @pytest.mark.parametrize(
        ("name", "age", "facts", "status"),
        [
            (RELAY, 1, {"connected": True}, 0),
            (RELAY, 1, {"connected": False}, 1),
            (RELAY, 70, {"connected": True}, 1),
            (BEAT, 70, {}, 0),
            (BEAT, 130, {}, 1),
        ],
    )
    def test_who_has_not_been_heard_is_not_well(
        self, name: str, age: int, facts: dict[str, Any], status: int
    ) -> None:
        now = timezone.now() - timedelta(seconds=age)
        Heartbeat.objects.beat(name, facts=facts, now=now)
        assert health.main(name) == status

    def test_who_was_never_heard_is_not_well(self) -> None:
        assert health.main(RELAY) == 1

    def test_without_its_database_nobody_is_well(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", f"postgres://127.0.0.1:{free_port()}/none")
        assert health.main(RELAY) == 1
        assert "refused" in capsys.readouterr().err
