"""From placed to confirmed and mailed, by real processes on both brokers, whoever dies."""

import os
from contextlib import ExitStack

import pytest
from django.db import connection, transaction

from apps.catalog.models import StockItem, StockMovement
from apps.orders import fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order, Status
from apps.orders.replay.report import confirmation_times
from deploy.embedded import Servers
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from shop.percentiles import percentile
from tasks.dead_letters import collect_dead_letters
from tasks.models import DeadLetter
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant
from tests.pipeline import Pipeline, eventually, workers_are_waiting
from tests.servers import DIRECTORY, figures

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.pipeline,
    pytest.mark.usefixtures("nothing_left_over"),
]


on_rabbitmq = pytest.mark.parametrize(
    "pipeline", [pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)], indirect=True
)


def placed(number: int = 1) -> list[Order]:
    ada, mug = make_customer(), make_variant(on_hand=number)
    lines = [make_line(mug)]
    return [place_order(make_purchase(ada), lines=lines, now=NOON) for _ in range(number)]


def sent() -> int:
    return OutgoingEmail.objects.filter(status="sent").count()


def assert_done_once(orders: list[Order], pipeline: Pipeline) -> None:
    """Every order confirmed, sold and mailed, each exactly once."""
    eventually(lambda: sent() == len(orders), what="every e-mail sent")
    assert set(Order.objects.values_list("status", flat=True)) == {Status.CONFIRMED}
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (0, 0)
    assert StockMovement.objects.filter(kind="sale").count() == len(orders)
    mailed = [mail["Message-ID"].strip() for mail in pipeline.mail.taken]
    assert sorted(mailed) == sorted(email.message_id for email in OutgoingEmail.objects.all())
    assert list(DeadLetter.objects.values_list("task", "reason")) == []


def test_fifty_orders_end_confirmed_sold_and_mailed_once(pipeline: Pipeline) -> None:
    ada, mug = make_customer(), make_variant(on_hand=50)
    orders = []
    for _ in range(50):
        order = place_order(make_purchase(ada), lines=[make_line(mug)], now=NOON)
        orders.append(order)
        confirmed = Order.objects.filter(pk=order.pk, status=Status.CONFIRMED)
        eventually(confirmed.exists, what="the order confirmed")
    assert_done_once(orders, pipeline)
    times = confirmation_times([order.pk for order in orders])
    p50, p95 = (percentile(times, percent).total_seconds() * 1000 for percent in (50, 95))
    figures.append(f"{pipeline.broker}: commit to confirmed p50 {p50:.0f} ms, p95 {p95:.0f} ms")


def test_everything_delivered_twice_happens_once(pipeline: Pipeline) -> None:
    orders = placed(10)
    assert_done_once(orders, pipeline)
    OutboxMessage.objects.update(sent_at=None)
    eventually(lambda: not OutboxMessage.objects.waiting().exists(), what="published again")
    marker = placed_marker()
    eventually(lambda: is_confirmed(marker), what="an order behind the repeats confirmed")
    eventually(lambda: sent() == 11, what="its e-mail sent")
    assert len(pipeline.mail.taken) == 11
    assert StockMovement.objects.filter(kind="sale").count() == 11
    assert OutgoingEmail.objects.count() == 11


def placed_marker() -> Order:
    bob, cup = make_customer("bob"), make_variant("CUP", on_hand=1)
    return place_order(make_purchase(bob), lines=[make_line(cup)], now=NOON)


def is_confirmed(order: Order) -> bool:
    return Order.objects.filter(pk=order.pk, status=Status.CONFIRMED).exists()


def test_ships_delivers_and_cancels_through_the_outbox(pipeline: Pipeline) -> None:
    kept, dropped = placed(2)
    eventually(lambda: sent() == 2, what="both mailed")
    steps = [
        (fulfilment.PROCESSING_REQUESTED, kept, "processing"),
        (fulfilment.SHIPMENT_REQUESTED, kept, "shipped"),
        (fulfilment.DELIVERY_REPORTED, kept, "delivered"),
        (fulfilment.CANCELLATION_REQUESTED, dropped, "cancelled"),
    ]
    for topic, order, status in steps:
        with transaction.atomic():
            OutboxMessage.publish(topic, order_id=order.pk)
        done = Order.objects.filter(pk=order.pk, status=status)
        eventually(done.exists, what=f"the order {status}")
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (1, 0)


def test_what_gives_up_is_kept_with_its_reason(pipeline: Pipeline) -> None:
    (order,) = placed()
    eventually(lambda: sent() == 1, what="mailed")
    with transaction.atomic():
        OutboxMessage.publish(fulfilment.DELIVERY_REPORTED, order_id=order.pk)
    eventually(DeadLetter.objects.exists, what="a dead letter")
    letter = DeadLetter.objects.get()
    assert letter.task == "tasks.order_pipeline.deliver"
    assert letter.order_id == order.pk
    assert "cannot go from confirmed to delivered" in letter.reason
    assert "WrongStatus" in letter.error
    assert letter.attempts == 1


def test_a_mail_server_that_refuses_for_now_delays_the_mail_and_not_the_order(
    pipeline: Pipeline,
) -> None:
    pipeline.mail.answer_to_recipient = "451 later"
    (order,) = placed()
    refused = OutgoingEmail.objects.filter(status="queued", attempts__gte=1)
    eventually(refused.exists, what="a refused attempt")
    assert is_confirmed(order)
    pipeline.mail.answer_to_recipient = "250 OK"
    assert_done_once([order], pipeline)


def test_a_worker_goes_on_when_its_database_connections_are_cut(pipeline: Pipeline) -> None:
    placed(4)
    eventually(lambda: sent() == 4, what="a first round")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert len(cursor.fetchall()) >= 2
    marker = placed_marker()
    eventually(lambda: is_confirmed(marker), what="an order confirmed on new connections")
    eventually(lambda: sent() == 5, what="its e-mail sent")
    assert not DeadLetter.objects.exists()


@pytest.mark.skipif(
    Servers(DIRECTORY).primary.url() != os.environ["DATABASE_URL"],
    reason="only a database that the suite started may be killed",
)
def test_orders_go_on_after_a_database_that_was_away(pipeline: Pipeline) -> None:
    with pipeline.paused("worker-order"):
        orders = placed(5)
        eventually(lambda: not OutboxMessage.objects.waiting().exists(), what="published")
        connection.close()
        servers = Servers(DIRECTORY)
        servers.kill("primary")
    try:
        eventually(lambda: has_retried(pipeline), what="a step that failed four times")
    finally:
        servers.start("primary")
    eventually(lambda: sent() == 5, what="every e-mail sent", seconds=120)
    assert_done_once(orders, pipeline)


def has_retried(pipeline: Pipeline) -> bool:
    """By the worker's own log: nobody else knows while the database is away."""
    return '"attempt": 4' in pipeline.processes.log("worker-order").read_text()


@on_rabbitmq
@pytest.mark.parametrize("victim", ["children", "worker", "relay"])
def test_a_process_killed_inside_update_inventory_costs_nothing(
    pipeline: Pipeline, victim: str
) -> None:
    with ExitStack() as locked:
        with pipeline.paused("relay"):  # so that nobody sells before the row is locked
            orders = placed(3)
            locked.enter_context(transaction.atomic())
            StockItem.objects.select_for_update().get()
        # The worker comes as far as the stock's row, and dies waiting for it.
        eventually(workers_are_waiting, what="a worker inside update_inventory")
        if victim == "children":
            assert pipeline.kill_children("worker-order") == 2
        else:
            pipeline.processes.kill("worker-order" if victim == "worker" else "relay")
    if victim != "children":
        pipeline.processes.start(["worker-order" if victim == "worker" else "relay"])
    assert_done_once(orders, pipeline)


@on_rabbitmq
def test_a_message_that_kills_its_process_ends_as_a_dead_letter_after_five_runs(
    pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory
) -> None:
    runs = tmp_path_factory.mktemp("poison") / "runs"
    with pipeline.worker_with_poison(POISON_RUNS=str(runs)):
        pipeline.send("tests.poison.kill_worker", order_id=7)
        eventually(DeadLetter.objects.exists, what="a dead letter", seconds=90)
    letter = DeadLetter.objects.get()
    assert letter.reason == "poison: 5 deliveries without an acknowledgement"
    assert letter.order_id == 7
    assert runs.read_text() == "x" * 5
    eventually(is_collected, what="the message collected")
    letter.refresh_from_db()
    assert letter.times == 1
    assert letter.message is not None
    (order,) = placed()
    assert_other_orders_go_on(order)


def is_collected() -> bool:
    collect_dead_letters(now=NOON)  # unless beat's own collector was first
    return DeadLetter.objects.exclude(message=None).exists()


def assert_other_orders_go_on(order: Order) -> None:
    eventually(lambda: is_confirmed(order), what="an innocent order confirmed")
