"""A next step that the broker does not take waits in the outbox; no order stays behind."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.db import transaction

from apps.catalog.models import StockItem, StockMovement
from apps.orders.checkout import place_order
from apps.orders.models import Order, Status
from deploy.embedded import Servers
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks.models import DeadLetter
from tasks.steps import TASK_RESUMED
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant
from tests.pipeline import Pipeline, eventually, workers_are_waiting
from tests.servers import DIRECTORY

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.pipeline,
    pytest.mark.rabbitmq,
    pytest.mark.usefixtures("nothing_left_over"),
    pytest.mark.parametrize("pipeline", ["rabbitmq"], indirect=True),
]


@pytest.fixture(autouse=True)
def own_broker(rabbitmq: str) -> None:
    if Servers(DIRECTORY).rabbitmq.address not in rabbitmq:
        pytest.skip("only a broker that the suite started may be disturbed")


@contextmanager
def disk_alarm() -> Iterator[None]:
    """RabbitMQ takes no messages, and goes on delivering those that it has."""
    rabbitmq = Servers(DIRECTORY).rabbitmq
    rabbitmq.ctl("set_disk_free_limit", "9000GB")
    try:
        yield
    finally:
        rabbitmq.ctl("set_disk_free_limit", "200MB")


@contextmanager
def frozen_broker() -> Iterator[None]:
    """RabbitMQ neither answers nor hangs up."""
    pid = Servers(DIRECTORY).rabbitmq.pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def place(number: int, *, name: str = "ada", sku: str = "MUG") -> None:
    buyer, variant = make_customer(name), make_variant(sku, on_hand=number)
    for _ in range(number):
        place_order(make_purchase(buyer), lines=[make_line(variant)], now=NOON)


@pytest.fixture(autouse=True)
def first_order(nothing_left_over: None) -> None:
    """One that is done, so that relay and workers are known to be up."""
    place(1, name="bob", sku="CUP")
    sent = OutgoingEmail.objects.filter(status="sent")
    eventually(sent.exists, what="a first order mailed")


def published() -> bool:
    return not OutboxMessage.objects.waiting().exists()


def a_step_waits_in_the_outbox() -> None:
    resumed = OutboxMessage.objects.filter(topic=TASK_RESUMED)
    eventually(resumed.exists, what="a next step in the outbox", seconds=60)


def assert_all_confirmed_and_mailed_once(pipeline: Pipeline, number: int) -> None:
    sent = OutgoingEmail.objects.filter(status="sent")
    eventually(lambda: sent.count() == number, what="every e-mail sent", seconds=120)
    assert set(Order.objects.values_list("status", flat=True)) == {Status.CONFIRMED}
    assert StockMovement.objects.filter(kind="sale").count() == number
    assert len(pipeline.mail.taken) == number
    assert not DeadLetter.objects.exists()


def test_orders_that_run_into_an_alarm_end_confirmed_and_mailed_once(
    pipeline: Pipeline,
) -> None:
    with ExitStack() as trouble:
        with pipeline.paused("worker-order"):
            place(4)
            eventually(published, what="published")
            trouble.enter_context(disk_alarm())
        a_step_waits_in_the_outbox()
    assert_all_confirmed_and_mailed_once(pipeline, 5)


def test_orders_that_run_into_a_frozen_broker_end_confirmed_and_mailed_once(
    pipeline: Pipeline,
) -> None:
    with ExitStack() as trouble:
        with pipeline.paused("worker-order"):
            place(4)
            eventually(published, what="published")
            lock = trouble.enter_context(ExitStack())
            lock.enter_context(transaction.atomic())
            StockItem.objects.select_for_update().get(variant__sku="MUG")
        eventually(workers_are_waiting, what="a worker inside update_inventory")
        trouble.enter_context(frozen_broker())
        lock.close()
        a_step_waits_in_the_outbox()
    assert_all_confirmed_and_mailed_once(pipeline, 5)
