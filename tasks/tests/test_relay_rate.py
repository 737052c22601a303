"""How fast the relay is, with a real RabbitMQ that confirms every message."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import transaction
from kombu import Connection

from shop.outbox.models import OutboxMessage
from shop.topology import ORDER, WORK_QUEUES
from tests.pipeline import eventually, worker_environment
from tests.servers import figures

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.pipeline,
    pytest.mark.rabbitmq,
]
_EVENTS = 5000


def test_publishes_thousands_of_events_and_each_is_on_the_queue(rabbitmq: str) -> None:
    with Connection(rabbitmq) as broker:
        for queue in WORK_QUEUES:
            queue(broker.default_channel).declare()
            queue(broker.default_channel).purge()
    command = [sys.executable, "manage.py", "relay_outbox"]
    with subprocess.Popen(command, env=worker_environment(rabbitmq)) as relay:  # noqa: S603 ours
        try:
            announce(1)
            eventually(all_sent, what="the relay at work")
            used, started = cpu_seconds(relay.pid), time.monotonic()
            announce(_EVENTS)
            eventually(all_sent, what="all published", seconds=120)
            took = time.monotonic() - started
            used = cpu_seconds(relay.pid) - used
        finally:
            relay.terminate()
    with Connection(rabbitmq) as broker:
        queue = next(queue for queue in WORK_QUEUES if queue.name == ORDER)
        assert queue(broker.default_channel).purge() == _EVENTS + 1
    figures.append(
        f"relay: {_EVENTS / took:.0f} events a second with confirms,"
        f" {used / _EVENTS * 1e6:.0f} µs of its CPU each"
    )


def announce(number: int) -> None:
    with transaction.atomic():
        OutboxMessage.publish_many("order.placed", [{"order_id": n} for n in range(number)])


def all_sent() -> bool:
    return not OutboxMessage.objects.waiting().exists()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
