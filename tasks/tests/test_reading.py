"""A task that may read a standby sees all that led to it, and all that came before it."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from celery.canvas import Signature
from django.db import connection, transaction
from django_celery_results.models import TaskResult

from apps.catalog.models import Variant
from deploy.embedded.standby import Standby
from shop.celery import app
from shop.outbox.models import OutboxMessage
from shop.routing.heartbeat import tell_the_time
from shop.routing.positions import NEVER, lsn, position, primary_position
from shop.topology import ALL_QUEUES, ORDER
from tasks.outbox import HANDLERS, steps_for
from tasks.publisher import publisher_for
from tasks.reading import READ_AFTER_HEADER, read_after
from tasks.relay import relay_batch
from tasks.steps import resumed
from tasks.tests.price_watch import look, look_unluckily, raise_price, set_price
from tests.builders import NOON, make_variant
from tests.pipeline import eventually, worker_environment
from tests.standby import catch_up, paused

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "replica"])
LATER = NOON.replace(year=NOON.year + 10)


class Worker:
    """A real one, which knows the tasks of price_watch.py and reads the suite's standby."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def worker(django_db_setup: None, standby: Standby) -> Iterator[Worker]:
    name = str(connection.settings_dict["NAME"])
    environment = {
        **worker_environment(),
        "DATABASE_REPLICA_URL": standby.url(name),
        "REPLICA_ROUTING": "on",
        "REPLICA_MAX_LAG": "55",
    }
    command = [sys.executable, "-m", "celery", "--app", "shop", "worker", "--pool", "solo"]
    command += ["--include", "tasks.tests.price_watch", "--queues", ORDER]
    _purge()
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:  # noqa: S603 ours
        yield Worker(process)
        process.terminate()
    _purge()


def _purge() -> None:
    with app.connection_for_write() as broker:
        for queue in ALL_QUEUES:
            bound = queue(broker.default_channel)
            bound.declare()
            bound.purge()


@pytest.fixture
def tag(standby: Standby, monkeypatch: pytest.MonkeyPatch) -> Variant:
    """A price of 9.50 that the standby knows, and topics for whoever sets it or looks."""
    for topic, steps in TOPICS.items():
        monkeypatch.setitem(HANDLERS, topic, steps)
    tell_the_time()
    variant = make_variant("TAG")
    catch_up(standby)
    return variant


TOPICS: dict[str, Callable[..., list[Signature[Any]]]] = {
    "price.asked": lambda *, order_id: [look.si(order_id=order_id)],
    "price.asked_unluckily": lambda *, order_id: [look_unluckily.si(order_id=order_id)],
    "price.raised": lambda *, order_id: [raise_price.si(order_id=order_id, price=6)],
    "price.kept": lambda *, order_id: [
        set_price.si(order_id=0, price=8),
        look.si(order_id=order_id),
    ],
    "price.set": lambda *, order_id: [
        set_price.si(order_id=order_id, price=8),
        look.si(order_id=order_id),
    ],
}


def announce(topic: str, tag: Variant) -> None:
    with transaction.atomic():
        OutboxMessage.publish(topic, order_id=tag.pk)


def relay() -> None:
    publisher = publisher_for(app)
    try:
        relay_batch(publisher, now=LATER)
    finally:
        publisher.close()


def seen() -> list[Any]:
    """The price that the task has seen, and on which database; forgotten here."""
    done = TaskResult.objects.filter(status="SUCCESS")
    eventually(done.exists, what="the task is done", seconds=60)  # a worker starts first
    result: list[Any] = json.loads(done.get().result)
    TaskResult.objects.all().delete()
    return result


def test_what_led_to_a_task_is_seen_by_it_however_late_the_standby_is(
    worker: Worker, tag: Variant, standby: Standby
) -> None:
    with paused(standby):
        with transaction.atomic():
            Variant.objects.update(price=7)
            OutboxMessage.publish("price.asked", order_id=tag.pk)
        relay()
        assert seen() == [7, "default"]
    announce("price.asked", tag)
    with worker.standing_still():
        relay()
        catch_up(standby)
    assert seen() == [7, "replica"]


def test_what_an_earlier_step_wrote_is_seen_by_the_next(
    worker: Worker, tag: Variant, standby: Standby
) -> None:
    announce("price.set", tag)
    with ExitStack() as late:
        with worker.standing_still():
            relay()
            catch_up(standby)
            late.enter_context(paused(standby))
        assert seen() == [8, "default"]


def test_a_next_step_reads_the_standby_that_has_all_of_it(
    worker: Worker, tag: Variant, standby: Standby
) -> None:
    def is_seen_there() -> bool:
        announce("price.kept", tag)
        relay()
        return seen() == [9, "replica"]

    eventually(is_seen_there, what="the price seen on the standby")


def test_what_a_failed_run_wrote_is_seen_by_its_retry(
    worker: Worker, tag: Variant, standby: Standby
) -> None:
    announce("price.raised", tag)
    with ExitStack() as late:
        with worker.standing_still():
            relay()
            catch_up(standby)
            late.enter_context(paused(standby))
        assert seen() == [6, "default"]


def test_a_message_that_carries_no_position_reads_the_primary(
    worker: Worker, tag: Variant, standby: Standby
) -> None:
    look.apply_async(kwargs={"order_id": tag.pk})  # as beat does
    assert seen() == [9, "default"]


def test_what_fails_on_the_standby_is_done_again_on_the_primary_at_once(
    worker: Worker, tag: Variant, standby: Standby
) -> None:
    announce("price.asked_unluckily", tag)
    with worker.standing_still():
        relay()
        catch_up(standby)
    assert seen() == [9, "default"]


def test_a_step_that_is_started_again_carries_the_position_of_then() -> None:
    step = {"task": "price.look", "task_id": str(uuid.uuid4()), "args": [], "kwargs": {}}
    resumed(step, chain=[{**step, "task_id": "2"}], context={}).save()
    before = primary_position()
    with transaction.atomic():
        (message,) = OutboxMessage.objects.claim(limit=1, now=LATER)
    first, _ = steps_for(message)
    assert before <= position(first.options["headers"][READ_AFTER_HEADER])


@pytest.mark.parametrize("written", [None, "", "soon", "1", 17, ["0/1"], "0/1/2"])
def test_a_position_that_says_nothing_is_newer_than_any_standby(written: Any) -> None:
    assert read_after({"headers": {READ_AFTER_HEADER: written}}) == NEVER
    assert read_after({"headers": None}) == NEVER
    assert read_after({"headers": {READ_AFTER_HEADER: lsn(17)}}) == 17
