"""Health: live asks nobody, ready names what is missing and never takes long."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from deploy.embedded.standby import Standby
from shop.outbox.models import OutboxMessage
from shop.routing.heartbeat import tell_the_time
from shop.routing.models import PrimaryHeartbeat
from tasks.models import Heartbeat
from tests.pipeline import eventually
from tests.standby import catch_up


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nobody listens, and nobody else begins to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        yield listening.getsockname()[1]


@pytest.fixture
def relay(transactional_db: None) -> None:
    """A relay that was heard just now."""
    relay_was_heard(seconds_ago=0)


def relay_was_heard(*, seconds_ago: int) -> None:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    Heartbeat.objects.update_or_create(name="relay", defaults={"at": at})


def ready(client: Client) -> dict[str, Any]:
    started = time.monotonic()
    answer = client.get("/health/ready")
    assert time.monotonic() - started < 2
    body: dict[str, Any] = answer.json()
    assert answer.status_code == (503 if body["status"] == "down" else 200)
    return body


def test_live_touches_nothing(client: Client) -> None:
    # Not marked for the database: a query would fail.
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


@pytest.fixture
def replica(standby: Standby, settings: Any, transactional_db: None) -> Standby:
    """The standby of the test's database, and the primary was heard just now."""
    settings.DATABASE_REPLICA_URL = standby.url(connection.settings_dict["NAME"])
    tell_the_time()
    catch_up(standby)
    return standby


@pytest.mark.django_db(transaction=True)
def test_ready_finds_all_dependencies(client: Client, relay: None, replica: Standby) -> None:
    body = ready(client)
    assert body["status"] == "ok", body
    assert set(body["dependencies"]) == {"database", "outbox", "replica", "cache", "broker"}
    assert 0 <= body["dependencies"]["replica"]["lag_ms"] < 10_000


@pytest.mark.django_db(transaction=True)
def test_a_shop_without_a_replica_does_not_list_it(
    client: Client, settings: Any, relay: None
) -> None:
    settings.DATABASE_REPLICA_URL = ""
    body = ready(client)
    assert body["status"] == "ok"
    assert "replica" not in body["dependencies"]


@pytest.mark.django_db(transaction=True)
def test_optional_parts_that_are_gone_degrade_the_shop(
    client: Client, settings: Any, closed_port: int, relay: None
) -> None:
    break_optional_parts(settings, closed_port)
    body = ready(client)
    assert body["status"] == "degraded"
    gone = {"status": "down", "reason": "cannot be reached"}
    assert body["dependencies"] == {
        "database": {"status": "ok"},
        "outbox": {"status": "ok"},
        "replica": gone,
        "cache": gone,
        "broker": gone,
    }


@pytest.mark.django_db(transaction=True)
def test_optional_parts_that_hang_degrade_the_shop_within_a_second(
    client: Client, settings: Any, silent_port: int, relay: None
) -> None:
    break_optional_parts(settings, silent_port)
    body = ready(client)
    assert body["status"] == "degraded"
    # A listening port is all that is asked of the broker.
    statuses = {name: each["status"] for name, each in body["dependencies"].items()}
    assert (statuses.pop("database"), statuses.pop("outbox")) == ("ok", "ok")
    assert statuses == {"replica": "down", "cache": "down", "broker": "ok"}


@pytest.mark.django_db(transaction=True)
def test_a_replica_that_is_late_or_never_heard_the_primary_is_degraded(
    client: Client, replica: Standby, settings: Any
) -> None:
    settings.REPLICA_MAX_LAG = 0
    finding = ready(client)["dependencies"]["replica"]
    assert (finding["status"], finding["reason"]) == (
        "degraded",
        "is late; the primary is read",
    )
    settings.REPLICA_MAX_LAG = 10
    PrimaryHeartbeat.objects.all().delete()
    catch_up(replica)
    assert ready(client)["dependencies"]["replica"]["lag_ms"] is None


@pytest.mark.django_db(transaction=True)
def test_each_of_several_replicas_has_its_finding(
    client: Client, relay: None, replica: Standby, settings: Any, closed_port: int
) -> None:
    settings.DATABASE_REPLICA_URL += f" postgres://u:secret@127.0.0.1:{closed_port}/shop"
    body = ready(client)
    assert body["status"] == "degraded"
    assert body["dependencies"]["replica"]["status"] == "ok"
    assert body["dependencies"]["replica2"]["status"] == "down"


@pytest.mark.django_db(transaction=True)
def test_a_replica_that_is_no_standby_is_degraded(client: Client, settings: Any) -> None:
    settings.DATABASE_REPLICA_URL = primary_url(settings)
    assert ready(client)["dependencies"]["replica"]["status"] == "degraded"


@pytest.mark.django_db(transaction=True)
def test_without_its_primary_the_shop_is_down_and_tells_no_secrets(
    client: Client, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", str(closed_port))
    body = ready(client)
    assert body["status"] == "down"
    gone = {"status": "down", "reason": "cannot be reached"}
    assert body["dependencies"]["database"] == gone
    assert body["dependencies"]["outbox"] == gone
    assert body["dependencies"]["cache"] == {"status": "ok"}


@pytest.mark.django_db(transaction=True)
def test_a_primary_that_hangs_is_down_within_a_second(
    client: Client, monkeypatch: pytest.MonkeyPatch, silent_port: int
) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", str(silent_port))
    dependencies = ready(client)["dependencies"]
    assert dependencies["database"]["reason"] == "does not answer in time"
    assert dependencies["outbox"]["reason"] == "does not answer in time"


@pytest.mark.django_db(transaction=True)
def test_ready_leaves_no_connection_behind(client: Client) -> None:
    before = connection_count()
    ready(client)
    # A server process ends a moment after its connection.
    eventually(lambda: connection_count() == before, what="the end of its connections")


@pytest.mark.django_db(transaction=True)
def test_a_message_that_waits_degrades_the_shop(
    client: Client, relay: None, replica: Standby
) -> None:
    a_message(seconds_old=25)
    assert ready(client)["status"] == "ok"
    a_message(seconds_old=31)
    body = ready(client)
    assert body["status"] == "degraded"
    reason = "Outbox messages waiting for more than 30 seconds"
    assert body["dependencies"]["outbox"] == {"status": "degraded", "reason": reason}


@pytest.mark.django_db(transaction=True)
def test_a_silent_relay_degrades_the_shop(client: Client, replica: Standby) -> None:
    silent = {"status": "degraded", "reason": "Relay silent, or without its broker"}
    assert ready(client)["dependencies"]["outbox"] == silent
    relay_was_heard(seconds_ago=55)
    assert ready(client)["status"] == "ok"
    relay_was_heard(seconds_ago=61)
    body = ready(client)
    assert (body["status"], body["dependencies"]["outbox"]) == ("degraded", silent)


def a_message(*, seconds_old: int) -> None:
    created_at = timezone.now() - timedelta(seconds=seconds_old)
    OutboxMessage.objects.create(topic="t", payload={}, created_at=created_at)


def break_optional_parts(settings: Any, port: int) -> None:
    settings.DATABASE_REPLICA_URL = f"postgres://ecommerce_user:secret@127.0.0.1:{port}/shop"
    settings.CELERY_BROKER_URL = f"redis://:secret@127.0.0.1:{port}/1"
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{port}/0"}
    }


def primary_url(settings: Any) -> str:
    parts = settings.DATABASES["default"]
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**parts)


def connection_count() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("relay")
def test_a_search_engine_that_is_away_is_named_and_the_shop_is_ready(
    client: Client, settings: Any, closed_port: int
) -> None:
    settings.SEARCH_URL = f"http://127.0.0.1:{closed_port}"
    body = ready(client)
    assert body["status"] == "degraded"
    assert body["dependencies"]["search"]["status"] == "down"


@pytest.mark.usefixtures("relay")
def test_a_search_engine_is_asked_at_the_whole_address_that_is_set(
    client: Client, settings: Any
) -> None:
    asked = []

    class Engine(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 the library calls it so
            asked.append((self.path, self.headers["Authorization"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"products-1\n")

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Engine) as engine:
        Thread(target=engine.handle_request).start()
        settings.SEARCH_URL = f"http://u:p%40@127.0.0.1:{engine.server_port}/behind/"
        body = ready(client)
    assert body["dependencies"]["search"] == {"status": "ok"}
    login = "Basic dTpwQA=="  # u:p@
    assert asked == [("/behind/_cat/aliases/products?h=index", login)]


@pytest.mark.usefixtures("relay")
def test_says_nothing_of_search_where_there_is_no_engine(client: Client) -> None:
    assert "search" not in ready(client)["dependencies"]
