"""A broker that is away, dies, or takes nothing."""

import time

import requests
from django.db import transaction

from apps.orders import fulfilment
from apps.orders.models import Order, Status
from chaos.rows.row import row
from chaos.trial import Trial
from chaos.world import PROCESSES
from shop.outbox.models import OutboxMessage
from tasks.models import DeadLetter

_ALARM_LASTS = 15  # seconds: longer than a worker tries to publish a next step


def _nothing_waits() -> bool:
    return not OutboxMessage.objects.waiting().exists()


def _stays_usable(trial: Trial) -> None:
    """Checkout did not notice."""
    trial.report_checkouts()
    trial.require_no_server_errors()
    trial.require(trial.p99() < 1, f"checkout p99 {trial.p99():.2f} s")
    trial.all_placed()


@row(3, "broker down at checkout", holds="201 anyway, p99 below 1 s; all confirmed afterwards")
def down_at_checkout(trial: Trial) -> None:
    trial.world.servers.stop("rabbitmq")
    with trial.buying():
        pass
    waiting = OutboxMessage.objects.waiting().count()
    trial.require(waiting == trial.orders, f"{waiting} of {trial.orders} wait in the outbox")
    trial.world.servers.start("rabbitmq")
    trial.fault_ends()
    trial.settle()
    trial.count_faults(1)
    _stays_usable(trial)


@row(4, "broker kill -9 with messages queued, then everything", holds="no order lost")
def killed_with_messages(trial: Trial) -> None:
    world = trial.world
    with world.supervisor.without("worker-order"):
        with trial.buying():
            pass
        trial.wait_for("all published", _nothing_waits)
        world.servers.kill("rabbitmq")
        world.servers.start("rabbitmq")
    trial.wait_for(
        "a third of it confirmed",
        lambda: Order.objects.exclude(status=Status.PENDING).count() >= trial.orders / 3,
    )
    with world.supervisor.without(*PROCESSES):
        world.servers.kill("rabbitmq")
        world.servers.start("rabbitmq")
    trial.fault_ends()
    trial.settle()
    trial.count_faults(3 + len(PROCESSES))
    trial.all_placed()


@row(5, "broker under a disk alarm", holds="checkout untouched; the relay goes on afterwards")
def disk_alarm(trial: Trial) -> None:
    rabbitmq = trial.world.servers.rabbitmq
    trial.wait_for("readiness says ok", lambda: _outbox(trial) == "ok")
    wishes = trial.make_wishes(products=trial.stock(3 * trial.orders))
    quarter = max(1, trial.orders // 4)
    with trial.buying(wishes[:quarter]):
        rabbitmq.ctl("set_disk_free_limit", "900GB")
    began = time.monotonic()
    try:
        with trial.buying(wishes[quarter:]):  # all under the alarm
            pass
        trial.wait_for("readiness says degraded", lambda: _outbox(trial) == "degraded")
        time.sleep(max(0, began + _ALARM_LASTS - time.monotonic()))
    finally:
        rabbitmq.ctl("set_disk_free_limit", rabbitmq.DISK_FREE_LIMIT)
    trial.fault_ends()
    trial.settle()
    trial.count_faults(1)
    _stays_usable(trial)


def _outbox(trial: Trial) -> str:
    """What the shop says of its outbox."""
    body = requests.get(f"{trial.world.url}/health/ready", timeout=5).json()
    return str(body["dependencies"]["outbox"]["status"])


@row(
    13,
    "broker dies while it dead-letters",
    holds="every message that gave up is a row",
    is_slow=True,
)
def dies_while_dead_lettering(trial: Trial) -> None:
    with trial.buying():
        pass
    trial.settle()
    for order_id in Order.objects.values_list("pk", flat=True):
        _ask_too_early(order_id)
    trial.wait_for("the first gave up", lambda: DeadLetter.objects.exists())
    trial.world.servers.kill("rabbitmq")
    trial.world.servers.start("rabbitmq")
    trial.fault_ends()
    trial.wait_for(
        "every one a dead letter", lambda: DeadLetter.objects.count() == Order.objects.count()
    )
    trial.settle(may_give_up=True)
    trial.count_faults(1)
    trial.figure("dead letters", DeadLetter.objects.count())


def _ask_too_early(order_id: int) -> None:
    """No confirmed order can be delivered, so that this ends as a dead letter."""
    with transaction.atomic():
        OutboxMessage.publish(fulfilment.DELIVERY_REPORTED, order_id=order_id)
