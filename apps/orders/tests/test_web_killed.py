"""A web process that dies at the worst moment loses no order that was committed."""

import signal
import subprocess
import sys

import pytest

from apps.catalog.models import StockItem
from apps.orders.models import Order
from shop.outbox.models import OutboxMessage
from tests.builders import make_customer, make_variant
from tests.pipeline import worker_environment

pytestmark = pytest.mark.django_db(transaction=True)

# Callbacks of a commit run in the order they were registered: this one kills the process
# before anything that the shop itself might have left for after the commit.
_SCRIPT = """
import django, os, signal; django.setup()
from django.db import transaction
from apps.accounts.models import Customer
from apps.catalog.models import Variant
from apps.orders.checkout import place_order
from tests.builders import NOON, make_line, make_purchase
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
with transaction.atomic():
    {before}
    line = make_line(Variant.objects.get())
    place_order(make_purchase(Customer.objects.get()), lines=[line], now=NOON)
    {after}
"""


def run_and_die(*, before: str = "", after: str = "") -> None:
    script = _SCRIPT.format(before=before or "pass", after=after or "pass")
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, env=worker_environment(), check=False)  # noqa: S603 ours
    assert ended.returncode == -signal.SIGKILL


def test_killed_right_after_the_commit_the_order_is_there_and_announced() -> None:
    make_customer()
    make_variant(on_hand=5)
    run_and_die(before="transaction.on_commit(die)")
    order = Order.objects.get()
    message = OutboxMessage.objects.waiting().get()
    assert (message.topic, message.payload) == ("order.placed", {"order_id": order.pk})
    assert StockItem.objects.get().reserved == 1


def test_killed_right_before_the_commit_there_is_no_order_and_no_reservation() -> None:
    make_customer()
    make_variant(on_hand=5)
    run_and_die(after="die()")
    assert not Order.objects.exists()
    assert not OutboxMessage.objects.exists()
    assert StockItem.objects.get().reserved == 0
