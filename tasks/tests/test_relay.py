"""The relay publishes every committed message at least once, and nothing is lost on the way."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from shop.celery import app
from shop.outbox.models import MAX_ATTEMPTS, OutboxMessage
from shop.topology import ORDER, WORK_QUEUES
from tasks.models import DeadLetter
from tasks.publisher import publisher_for
from tasks.relay import relay_batch
from tasks.steps import TASK_RESUMED
from tests.builders import NOON
from tests.concurrently import run_at_once
from tests.pipeline import worker_environment
from tests.statements import counted

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOON.replace(year=NOON.year + 10)  # every message is due, however often postponed


@pytest.fixture(autouse=True)
def empty_queues() -> Iterator[None]:
    drain()
    yield
    drain()


def announce(number: int, *, topic: str = "order.placed") -> None:
    with transaction.atomic():
        OutboxMessage.publish_many(topic, [{"order_id": n} for n in range(number)])


def drain() -> list[dict[str, Any]]:
    """The task messages on the broker's work queues, taken off it: headers of each."""
    messages = []
    with app.connection_for_write() as broker:
        for queue in WORK_QUEUES:
            bound = queue(broker.default_channel)
            bound.declare()
            while (message := bound.get(no_ack=True)) is not None:
                messages.append({**message.headers, "body": message.decode()})
    return messages


def relay(*, limit: int = 200, now: datetime = LATER) -> int:
    publisher = publisher_for(app)
    try:
        return relay_batch(publisher, now=now, limit=limit)
    finally:
        publisher.close()


def test_publishes_the_chain_of_a_placed_order_and_marks_the_message() -> None:
    announce(1)
    assert relay() == 1
    (message,) = drain()
    assert message["task"] == "tasks.order_pipeline.update_inventory"
    _, kwargs, embedded = message["body"]
    assert kwargs == {"order_id": 0}
    assert [step["task"] for step in reversed(embedded["chain"])] == [
        "tasks.order_pipeline.confirm",
        "tasks.email.send_order_confirmation",
    ]
    assert OutboxMessage.objects.get().sent_at == LATER
    assert relay() == 0


def test_publishing_a_message_again_repeats_its_task_ids() -> None:
    announce(1)
    relay()
    OutboxMessage.objects.update(sent_at=None)
    relay()
    first, second = drain()
    assert first["id"] == second["id"]
    assert first["body"][2]["chain"] == second["body"][2]["chain"]


def test_eight_relays_publish_two_hundred_messages_once_each() -> None:
    announce(200)

    def run() -> int:
        done = 0
        while count := relay(limit=10):
            done += count
        return done

    outcomes = run_at_once([run] * 8)
    assert not [o for o in outcomes if isinstance(o, Exception)], outcomes
    published = Counter(message["body"][1]["order_id"] for message in drain())
    assert published == dict.fromkeys(range(200), 1)
    assert not OutboxMessage.objects.waiting().exists()


def test_a_batch_is_two_statements_whatever_its_size() -> None:
    announce(100)
    publisher = publisher_for(app)
    with counted() as statements:
        relay_batch(publisher, now=LATER)
    publisher.close()
    assert len(statements) == 2


def test_a_relay_killed_between_publish_and_mark_loses_nothing_and_repeats_the_ids() -> None:
    announce(20)
    script = (
        "import django, os, signal; django.setup()\n"
        "from django.utils import timezone\n"
        "from shop.celery import app\n"
        "from tasks.publisher import PlainPublisher\n"
        "from tasks.relay import relay_batch\n"
        "class Dies(PlainPublisher):\n"
        "    def publish(self, chains):\n"
        "        super().publish(chains)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "relay_batch(Dies(app), now=timezone.now())\n"
    )
    command = [sys.executable, "-c", script]
    died = subprocess.run(command, env=worker_environment(), check=False)  # noqa: S603 our own script
    assert died.returncode == -signal.SIGKILL
    first = {message["id"] for message in drain()}
    assert len(first) == 20
    assert OutboxMessage.objects.waiting().count() == 20
    assert relay() == 20
    assert {message["id"] for message in drain()} == first


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("order.newer", {"order_id": 1}, "UnknownTopic: nothing handles 'order.newer'"),
        (
            TASK_RESUMED,
            {"task": "tasks.newer", "task_id": "1", "args": [], "kwargs": {}, "chain": []},
            "UnknownTask: this version has no task 'tasks.newer'",
        ),
    ],
)
def test_a_message_of_a_newer_version_waits_for_its_relay(
    topic: str, payload: dict[str, Any], reason: str
) -> None:
    with transaction.atomic():
        OutboxMessage.publish_many(topic, [payload])
    announce(1)
    for minute in range(MAX_ATTEMPTS + 1):
        relay(now=LATER + timedelta(minutes=minute))
    assert len(drain()) == 1  # the good one was not held up
    message = OutboxMessage.objects.waiting().get()
    assert (message.topic, message.attempts) == (topic, MAX_ATTEMPTS + 1)
    assert message.last_error == reason
    assert not DeadLetter.objects.exists()


def test_a_payload_that_does_not_fit_its_topic_is_postponed_with_the_reason() -> None:
    with transaction.atomic():
        OutboxMessage.publish("order.placed", wrong=1)
    relay()
    message = OutboxMessage.objects.get()
    assert message.attempts == 1
    assert message.last_error.startswith("TypeError")
    assert drain() == []


@pytest.mark.parametrize("payload", [["order_id", 1], {"order": 1, "more": 1}])
def test_a_payload_of_another_shape_ends_as_a_dead_letter(
    payload: Any,
) -> None:
    with transaction.atomic():
        OutboxMessage.publish_many("order.placed", [payload])
    announce(1)
    for minute in range(MAX_ATTEMPTS):
        relay(now=LATER + timedelta(minutes=minute))
    letter = DeadLetter.objects.get()
    assert (letter.task, letter.attempts) == ("order.placed", MAX_ATTEMPTS)
    assert (letter.order_id, letter.arguments) == (None, payload)
    message = OutboxMessage.objects.exclude(gave_up_at=None).get()
    assert message.gave_up_at == letter.last_at == LATER + timedelta(minutes=7)
    assert len(drain()) == 1


def test_the_queue_of_an_order_is_the_declared_one() -> None:
    announce(1)
    relay()
    with app.connection_for_write() as broker:
        channel: Any = broker.default_channel
        depth = channel.queue_declare(ORDER, passive=True).message_count
    assert depth == 1
