"""Sweeps while a relay, worker or sender is away, or while nobody is, on real processes."""

import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django_celery_results.models import TaskResult

from apps.orders.checkout import ORDER_PLACED, place_order
from apps.orders.models import Order
from apps.orders.restarting import RESTART_AFTER
from shop.clock import database_time
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from shop.topology import DEAD_QUEUES, EMAIL, MAINTENANCE, ORDER
from tasks.models import DeadLetter, Heartbeat
from tasks.sweeper import sweep
from tasks.tests.test_swept_pipeline import NOTHING, sent
from tests.builders import make_customer, make_line, make_purchase, make_variant
from tests.pipeline import Pipeline, eventually, worker_environment

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.pipeline,
    pytest.mark.usefixtures("nothing_left_over"),
]
HOURS = [timedelta(hours=n) for n in range(1, 25)]


def placed(number: int) -> list[Order]:
    """Pending orders, whose messages wait in the outbox or are on their way."""
    ada, line = make_customer(), make_line(make_variant(on_hand=number))
    now = database_time()
    return [place_order(make_purchase(ada), lines=[line], now=now) for _ in range(number)]


def assert_each_mailed_once(number: int, pipeline: Pipeline) -> None:
    eventually(lambda: sent() == number, what="every e-mail sent", seconds=60)
    assert len(pipeline.mail.taken) == number
    assert OutboxMessage.objects.filter(topic=ORDER_PLACED).count() == number
    assert not DeadLetter.objects.exists()


def test_a_relay_that_was_off_for_a_day_finds_each_order_once(pipeline: Pipeline) -> None:
    with pipeline.paused("relay"):
        placed(3)
        assert [sweep(now=database_time() + hours) for hours in HOURS] == [NOTHING] * 24
    assert_each_mailed_once(3, pipeline)


def test_workers_that_were_off_for_a_day_find_each_order_once(pipeline: Pipeline) -> None:
    pipeline.processes.kill("worker-order")
    placed(3)
    eventually(lambda: pipeline.depth(ORDER) == 3, what="published")
    pipeline.send("tasks.maintenance.watch")
    eventually(lambda: seen_waiting() == 3, what="the queue looked at")
    for hours in HOURS:
        now = database_time() + hours
        Heartbeat.objects.filter(name="queues").update(at=now)
        assert sweep(now=now) == NOTHING
    pipeline.processes.start(["worker-order"])
    assert_each_mailed_once(3, pipeline)


def seen_waiting() -> int:
    look = Heartbeat.objects.filter(name="queues").first()
    return int(look.facts[ORDER]["messages"]) if look else 0


def test_an_email_whose_sender_is_killed_becomes_unknown_and_is_never_sent(
    pipeline: Pipeline,
) -> None:
    pipeline.mail.on_recipient = lambda _: pipeline.processes.kill("worker-email")
    try:
        (order,) = placed(1)
        claimed = OutgoingEmail.objects.filter(status="sending")
        eventually(claimed.exists, what="the e-mail claimed")
        eventually(lambda: "worker-email" not in pipeline.processes.alive(), what="killed")
    finally:
        pipeline.mail.on_recipient = lambda _: None
        pipeline.processes.start(["worker-email"])
    assert sweep(now=database_time()) == NOTHING
    swept = sweep(now=database_time() + RESTART_AFTER)
    assert swept == NOTHING | {"emails_unknown": 1}
    pipeline.send("tasks.email.send_order_confirmation", order_id=order.pk)
    eventually(lambda: pipeline.depth(EMAIL) == 0, what="a repeat consumed")
    eventually(pipeline.is_idle, what="workers idle")
    assert OutgoingEmail.objects.get().status == "unknown"
    assert pipeline.mail.taken == []


def test_sweeping_without_a_break_disturbs_no_healthy_pipeline(pipeline: Pipeline) -> None:
    swept: list[int] = []
    is_over = threading.Event()

    def sweep_on() -> None:
        while not is_over.is_set():
            swept.append(sum(sweep(now=database_time()).values()))
        connection.close()

    sweeper = threading.Thread(target=sweep_on)
    sweeper.start()
    try:
        placed(20)
        assert_each_mailed_once(20, pipeline)
    finally:
        is_over.set()
        sweeper.join()
    assert len(swept) >= 10
    assert not any(swept)


def test_maintenance_that_fails_leaves_no_dead_letter_and_is_not_tried_again(
    pipeline: Pipeline,
) -> None:
    Heartbeat.objects.beat("queues", facts=["no look"], now=database_time())  # type: ignore[arg-type]
    pipeline.send("tasks.maintenance.watch")
    failures = TaskResult.objects.filter(task_name="tasks.maintenance.watch", status="FAILURE")
    eventually(failures.exists, what="a failure that people can see")
    Heartbeat.objects.filter(name="queues").delete()
    pipeline.send("tasks.maintenance.sweep")
    eventually(Heartbeat.objects.filter(name="sweeper").exists, what="swept behind it")
    eventually(lambda: pipeline.depth(MAINTENANCE) == 0, what="both consumed")
    assert not DeadLetter.objects.exists()
    assert all(pipeline.depth(queue.name) == 0 for queue in DEAD_QUEUES)


# Once: beat's second round is what takes its time, and no broker makes a difference to it.
@pytest.mark.parametrize("pipeline", ["redis"], indirect=True)
def test_a_second_beat_does_nothing_twice(pipeline: Pipeline) -> None:
    command = [sys.executable, "-m", "celery", "--app", "shop", "beat"]
    command += ["--scheduler", "celery.beat.Scheduler"]
    environment = worker_environment(pipeline.broker_url)
    pipeline.processes.kill("beat")  # the second is alone for a while
    with subprocess.Popen(command, env=environment) as second:  # noqa: S603 ours
        try:
            pipeline.processes.start(["beat"])
            placed(3)
            looks = Heartbeat.objects.filter(name="queues")
            eventually(looks.exists, what="a look at the queues", seconds=60)
            first = looks.get().at
            eventually(lambda: looks.get().at > first, what="the other's look", seconds=60)
        finally:
            second.terminate()
    assert_each_mailed_once(3, pipeline)
