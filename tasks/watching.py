"""A look at every queue, kept as a heartbeat: a web request never asks the broker."""

from collections import Counter
from datetime import datetime
from typing import Any

from celery import Celery
from kombu import Connection

from shop.topology import DEAD_QUEUES, UNROUTED_QUEUE, WORK_QUEUES
from tasks.models import BEAT, QUEUES, Heartbeat
from tasks.queues import as_operational_errors

_ANSWER_WITHIN = 1.0  # seconds

Look = dict[str, int]  # messages and consumers of a queue


def watch(app: Celery, *, now: datetime) -> dict[str, Look]:
    """Look at every queue and keep it. That it runs at all proves beat, broker and worker.

    Raises kombu's OperationalError when the broker went away meanwhile.
    """
    Heartbeat.objects.beat(BEAT, facts={}, now=now)
    looks = _look(app)
    Heartbeat.objects.beat(QUEUES, facts=looks, now=now)
    return looks


def _look(app: Celery) -> dict[str, Look]:
    queues = [*WORK_QUEUES, *DEAD_QUEUES, UNROUTED_QUEUE]
    with app.connection_for_read() as connection, as_operational_errors(connection):
        looks = {queue.name: _ask(connection, queue.name) for queue in queues}
    if not app.conf.broker_url.startswith("amqp"):
        consumers = _consumers(app)
        for name, look in looks.items():
            look["consumers"] = consumers[name]
    return looks


def _ask(connection: Connection, name: str) -> Look:
    # A queue that is not there costs the channel: each is asked on one of its own.
    channel: Any = connection.channel()
    try:
        found = channel.queue_declare(name, passive=True)
    except connection.channel_errors:  # Redis has no queue while it is empty
        return {"messages": 0, "consumers": 0}
    finally:
        channel.close()
    return {"messages": found.message_count, "consumers": found.consumer_count or 0}


def _consumers(app: Celery) -> Counter[str]:
    """How many workers say that they consume each queue: Redis does not know."""
    answers = app.control.inspect(timeout=_ANSWER_WITHIN).active_queues() or {}
    return Counter(queue["name"] for queues in answers.values() for queue in queues)
