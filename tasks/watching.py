"""A look at every queue, kept as a heartbeat: a web request never asks the broker."""

from datetime import datetime
from typing import Any

from celery import Celery
from kombu import Connection

from shop.topology import ALL_QUEUES, WORK_QUEUES
from tasks.models import BEAT, QUEUES, Heartbeat
from tasks.queues import as_operational_errors

_ANSWER_WITHIN = 1.0  # seconds

# What was seen of a queue: messages, consumers, and since when nobody empties it (or None).
Look = dict[str, Any]


def watch(app: Celery, *, now: datetime) -> dict[str, Look]:
    """Look at every queue and keep it. That it runs at all proves beat, broker and worker.

    Raises kombu's OperationalError when the broker went away meanwhile.
    """
    Heartbeat.objects.beat(BEAT, facts={}, now=now)
    before = Heartbeat.objects.filter(name=QUEUES).first()
    looks = _look(app)
    for name, look in looks.items():
        earlier = before.facts.get(name, {}) if before else {}
        look["left_since"] = (
            (earlier.get("left_since") or now.isoformat()) if _is_left(name, look) else None
        )
    Heartbeat.objects.beat(QUEUES, facts=looks, now=now)
    return looks


def _is_left(name: str, look: Look) -> bool:
    """A work queue that nobody consumes, or messages where none should stay."""
    is_work = name in {queue.name for queue in WORK_QUEUES}
    return not look["consumers"] if is_work else bool(look["messages"])


def _look(app: Celery) -> dict[str, Look]:
    with app.connection_for_read() as connection, as_operational_errors(connection):
        looks = {queue.name: _ask(connection, queue.name) for queue in ALL_QUEUES}
    if not app.conf.broker_url.startswith("amqp"):
        # Redis knows of no consumers: the workers are asked.
        for name in _consumed(app):
            if name in looks:
                looks[name]["consumers"] += 1
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


def _consumed(app: Celery) -> list[str]:
    """The names of the queues that workers say they consume; one for each worker."""
    answers = app.control.inspect(timeout=_ANSWER_WITHIN).active_queues() or {}
    return [queue["name"] for queues in answers.values() for queue in queues]
