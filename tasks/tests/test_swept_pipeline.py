"""What was lost on its way is found by a sweep and ends once, by real processes."""

import pytest
from django.db import transaction

from apps.catalog.models import StockItem, StockMovement
from apps.orders import fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order
from apps.orders.restarting import RESTART_AFTER
from shop.clock import database_time
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from shop.topology import EMAIL, WORK_QUEUES
from tasks.models import DeadLetter, Heartbeat
from tasks.sweeper import sweep
from tests.builders import make_customer, make_line, make_purchase, make_variant
from tests.pipeline import Pipeline, eventually

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.pipeline,
    pytest.mark.usefixtures("nothing_left_over"),
]
NOTHING = {
    "orders_restarted": 0,
    "emails_written": 0,
    "emails_announced": 0,
    "emails_unknown": 0,
}


def placed(number: int) -> list[Order]:
    """Pending orders whose messages are on the broker."""
    ada, mug, now = make_customer(), make_variant(on_hand=number), database_time()
    with transaction.atomic():
        orders = [
            place_order(make_purchase(ada), lines=[make_line(mug)], now=now)
            for _ in range(number)
        ]
    eventually(lambda: not OutboxMessage.objects.waiting().exists(), what="published")
    return orders


def sent() -> int:
    return OutgoingEmail.objects.filter(status="sent").count()


def test_chains_that_were_cut_anywhere_go_on_after_a_sweep_and_end_once(
    pipeline: Pipeline,
) -> None:
    pipeline.processes.kill("worker-order")
    orders = placed(4)
    pipeline.purge()
    _before_everything, after_update_inventory, after_confirm, without_email = orders
    now = database_time()
    fulfilment.update_inventory(after_update_inventory.pk, now=now)
    fulfilment.confirm(after_confirm.pk, now=now)
    fulfilment.confirm(without_email.pk, now=now)
    assert sweep(now=database_time()) == NOTHING
    OutgoingEmail.objects.filter(reference=without_email.reference).delete()
    pipeline.processes.start(["worker-order"])

    # An e-mail that is being sent by now would look half an hour old to a sweep of then.
    with pipeline.paused("relay"):
        swept = sweep(now=database_time() + RESTART_AFTER)
    assert swept == NOTHING | {
        "orders_restarted": 2,
        "emails_written": 1,
        "emails_announced": 1,
    }
    eventually(lambda: sent() == 4, what="every e-mail sent", seconds=60)
    assert set(Order.objects.values_list("status", flat=True)) == {"confirmed"}
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (0, 0)
    assert StockMovement.objects.filter(kind="sale").count() == 4
    mailed = [mail["Message-ID"].strip() for mail in pipeline.mail.taken]
    assert sorted(mailed) == sorted(email.message_id for email in OutgoingEmail.objects.all())
    assert not DeadLetter.objects.exists()


def test_beat_has_every_queue_looked_at(pipeline: Pipeline) -> None:
    eventually(lambda: has_seen(consumers=1, messages=0), what="a first look", seconds=60)
    facts = Heartbeat.objects.get(name="queues").facts
    assert all(facts[queue.name]["consumers"] == 1 for queue in WORK_QUEUES)
    assert Heartbeat.objects.filter(name="beat").exists()
    relay = Heartbeat.objects.filter(name="relay", facts={"connected": True})
    eventually(relay.exists, what="the relay's heartbeat")
    pipeline.processes.kill("worker-email")
    placed(2)
    eventually(lambda: outbox_is_empty() and pipeline.depth(EMAIL) == 2, what="a pile of two")
    pipeline.send("tasks.maintenance.watch")  # beat would take 20 s
    eventually(lambda: has_seen(consumers=0, messages=2), what="it is seen", seconds=60)
    pipeline.processes.start(["worker-email"])
    eventually(lambda: sent() == 2, what="both mailed", seconds=60)
    assert not DeadLetter.objects.exists()


def outbox_is_empty() -> bool:
    return not OutboxMessage.objects.waiting().exists()


def has_seen(*, consumers: int, messages: int) -> bool:
    """Whether the last look found these numbers for the e-mails' queue."""
    look = Heartbeat.objects.filter(name="queues").first()
    seen = look.facts[EMAIL] if look else {}
    return (seen.get("consumers"), seen.get("messages")) == (consumers, messages)
