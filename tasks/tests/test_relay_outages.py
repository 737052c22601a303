"""The relay outlives its broker and goes on by itself when it is back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from django.db import transaction
from kombu import Connection
from kombu.exceptions import OperationalError

from deploy.embedded import Servers
from shop.celery import app
from shop.outbox.models import OutboxMessage
from shop.routing.models import PrimaryHeartbeat
from shop.topology import ORDER, SHOP, UNROUTED_QUEUE
from tasks.models import Heartbeat
from tasks.publisher import publisher_for
from tasks.queues import declare_queues
from tasks.relay import relay_batch
from tests.builders import NOON
from tests.pipeline import eventually, worker_environment
from tests.servers import DIRECTORY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.pipeline]


def announce() -> None:
    with transaction.atomic():
        OutboxMessage.publish("order.placed", order_id=1)


def all_sent() -> bool:
    return not OutboxMessage.objects.waiting().exists()


def is_connected() -> bool:
    """What the relay's heartbeat says of its broker."""
    return Heartbeat.objects.filter(name="relay", facts__connected=True).exists()


@contextmanager
def running_relay(broker_url: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "manage.py", "relay_outbox"]
    with subprocess.Popen(command, env=worker_environment(broker_url)) as relay:  # noqa: S603 ours
        try:
            announce()
            eventually(all_sent, what="a first message published")
            yield relay
        finally:
            relay.terminate()
    assert relay.returncode == 0


def test_goes_on_when_redis_was_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    servers = Servers(Path(tmp_path_factory.mktemp("redis")))
    servers.start("redis")
    try:
        with running_relay(servers.redis.url(database=0)) as relay:
            eventually(is_connected, what="a first heartbeat")
            servers.kill("redis")
            eventually(lambda: not is_connected(), what="the complaint of an idle relay")
            announce()
            servers.start("redis")
            eventually(all_sent, what="published after the outage")
            eventually(is_connected, what="its word that all is well")
            assert relay.poll() is None
            assert OutboxMessage.objects.order_by("pk").last().attempts == 0  # type: ignore[union-attr]
    finally:
        servers.stop("redis")


@pytest.mark.rabbitmq
def test_goes_on_when_rabbitmq_closed_its_connection(rabbitmq: str) -> None:
    with running_relay(rabbitmq) as relay:
        assert close_connections() >= 1
        announce()
        eventually(all_sent, what="published on a new connection")
        assert relay.poll() is None


@pytest.mark.rabbitmq
def test_notices_that_rabbitmq_closed_its_connection_without_a_message_to_send(
    rabbitmq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", rabbitmq)  # Celery prefers it to its settings
    publisher = publisher_for(app)
    publisher.check()
    close_connections()
    with pytest.raises(OperationalError):
        publisher.check()
    publisher.close()


def close_connections() -> int:
    """Close every connection of RabbitMQ as an operator would; returns how many."""
    given = os.environ.get("RABBITMQ_MANAGEMENT_URL")
    api = given or Servers(DIRECTORY).rabbitmq.management_url()
    names: list[str] = []

    def listed() -> bool:  # the management's list is some seconds late
        rows = requests.get(f"{api}/api/connections", timeout=5).json()
        names[:] = [row["name"] for row in rows if "name" in row]
        return bool(names)

    eventually(listed, what="the relay's connection listed")
    for name in names:
        requests.delete(f"{api}/api/connections/{quote(name, safe='')}", timeout=5)
    return len(names)


@pytest.mark.rabbitmq
def test_a_message_that_no_queue_takes_waits_and_the_others_are_sent(
    rabbitmq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", rabbitmq)  # Celery prefers it to its settings
    publisher = publisher_for(app)
    with Connection(rabbitmq) as broker:
        channel: Any = broker.default_channel
        for key in (ORDER, f"#.{ORDER}"):  # the second is how delayed retries come back
            channel.queue_unbind(ORDER, SHOP.name, key)
        channel.queue_delete(UNROUTED_QUEUE.name)
        announce()
        assert relay_batch(publisher, now=NOON) == 1
        message = OutboxMessage.objects.waiting().get()
        assert (message.attempts, message.last_error) == (1, "refused by the broker")
        declare_queues(broker)
        assert relay_batch(publisher, now=NOON + timedelta(minutes=1)) == 1
        assert all_sent()
        channel.queue_purge(ORDER)
    publisher.close()


def test_the_standbys_readers_are_told_the_time_while_the_broker_is_away() -> None:
    command = [sys.executable, "manage.py", "relay_outbox"]
    nowhere = worker_environment("amqp://guest:guest@127.0.0.1:1//")
    with subprocess.Popen(command, env=nowhere) as relay:  # noqa: S603 ours
        try:
            eventually(PrimaryHeartbeat.objects.exists, what="a first heartbeat")
            first = PrimaryHeartbeat.objects.get().at
            later = PrimaryHeartbeat.objects.filter(at__gt=first + timedelta(seconds=3))
            eventually(later.exists, what="further heartbeats")
        finally:
            relay.terminate()
    assert not is_connected()
    assert relay.returncode == 0
