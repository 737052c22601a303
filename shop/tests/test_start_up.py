"""Start-up refuses settings that are nonsense, or unsafe in production, with one clear line."""

import os
import subprocess
import sys
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue

from shop.topology import ORDER
from tests.pipeline import worker_environment

GOOD = {
    "DJANGO_SETTINGS_MODULE": "shop.settings.prod",
    "SECRET_KEY": "k" * 50,
    "ALLOWED_HOSTS": "shop.example",
    "DEBUG": "false",
}


def start(*options: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """`manage.py check` in production, with some variables changed or removed."""
    environment = {**os.environ, **GOOD, **changes}
    return subprocess.run(  # noqa: S603 ours
        [sys.executable, "manage.py", "check", *options],
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_with_sound_settings() -> None:
    assert start().returncode == 0


def test_djangos_checks_for_deployment_find_nothing() -> None:
    key = "".join(chr(97 + n % 26) for n in range(50))
    changes = {"SECRET_KEY": key, "COOKIE_SECURE": None}
    ended = start("--deploy", "--fail-level", "WARNING", **changes)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY must be a random text"),
        ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE='/nowhere' cannot be read"),
        ({"DEBUG": "true"}, "DEBUG must be false in production"),
        ({"DEBUG": "Flase"}, "DEBUG='Flase' is neither true nor false"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS must name"),
        ({"CART_MAX_ITEMS": "many"}, "CART_MAX_ITEMS='many' is not a whole number"),
        ({"CART_MAX_ITEMS": "0"}, "CART_MAX_ITEMS=0 is below 1"),
        ({"DATABASE_URL": "sqlite:///shop.db"}, "DATABASE_URL has the scheme 'sqlite'"),
        ({"DATABASE_REPLICA_URL": "mysql://x/y"}, "DATABASE_REPLICA_URL holds what is no"),
        ({"DATABASE_URL": "postgres://u:letmein@db:many/shop"}, "DATABASE_URL is no URL"),
        ({"DATABASE_URL": "postgres://u:letmein@[::1/shop"}, "DATABASE_URL is no URL"),
        ({"RABBITMQ_MANAGEMENT_URL": "http://u:letmein/@rabbit"}, "RABBITMQ_MANAGEMENT_URL is"),
        ({"DATABASE_REPLICA_URL": "postgres://db:many/shop"}, "DATABASE_REPLICA_URL is no URL"),
        ({"REPLICA_ROUTING": "maybe"}, "REPLICA_ROUTING='maybe' is not one of on, off, ignore"),
        ({"REPLICA_MAX_LAG": "0"}, "REPLICA_MAX_LAG=0 is below 1"),
        ({"REPLICA_MAX_LAG": "60"}, "REPLICA_MAX_LAG=60 is above 55"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT='xml' is not one of json, lines"),
        ({"SEARCH_URL": "search:9200"}, "SEARCH_URL has the scheme 'search'"),
        ({"SEARCH_URL": "http://u:letmein@search"}, "SEARCH_URL is not like http://elastic"),
        ({"SEARCH_URL": "http://:9200"}, "SEARCH_URL is not like http://elasticsearch:9200"),
        ({"SEARCH_URL": "http://search:many"}, "SEARCH_URL is no URL: its host or port is odd"),
        ({"CELERY_BROKER_URL": "http://broker"}, "CELERY_BROKER_URL has the scheme 'http'"),
    ],
)
def test_production_refuses(changes: dict[str, str | None], reason: str) -> None:
    ended = start(**changes)
    assert ended.returncode != 0
    assert reason in ended.stderr.splitlines()[-1]
    assert "letmein" not in ended.stderr


@pytest.mark.rabbitmq
@pytest.mark.django_db
@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "declare_queues"],
        ["manage.py", "relay_outbox"],
        ["-m", "celery", "--app", "shop", "worker", "--queues", ORDER, "--concurrency", "1"],
    ],
)
def test_refuses_a_broker_whose_queue_is_another_one(rabbitmq: str, command: list[str]) -> None:
    with Connection(rabbitmq) as broker:
        channel: Any = broker.default_channel
        channel.queue_delete(ORDER)
        Queue(ORDER, Exchange(""), durable=True)(channel).queue_declare()
        try:
            ended = subprocess.run(  # noqa: S603 ours
                [sys.executable, *command],
                env=worker_environment(rabbitmq),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        finally:
            channel.queue_delete(ORDER)
    assert ended.returncode == 1
    assert f"  queue {ORDER}: x-queue-type is " in ended.stderr
    assert ended.stderr.splitlines()[-1].endswith("and start relay and workers.")


def test_a_standby_that_is_the_primary_itself_is_refused() -> None:
    ended = start(DATABASE_REPLICA_URL=os.environ["DATABASE_URL"])
    assert ended.returncode != 0
    reason = "DATABASE_REPLICA_URL names the primary itself."
    assert ended.stderr.splitlines()[-1].endswith(reason)


def test_a_standby_that_takes_writes_is_refused_by_the_checks_at_deployment() -> None:
    primary = os.environ["DATABASE_URL"].replace("127.0.0.1", "localhost")
    ended = start("--database", "default", DATABASE_REPLICA_URL=primary)
    assert ended.returncode != 0
    assert "(routing.E001) replica is a primary" in ended.stderr


def test_a_standby_that_is_away_is_no_reason_not_to_start() -> None:
    url = "postgres://reader:secret@127.0.0.1:1/ecommerce"
    assert start("--database", "default", DATABASE_REPLICA_URL=url).returncode == 0
