"""What waits in a queue is late and not lost: the sweeper puts no copies of it behind it."""

from datetime import datetime

import pytest

from shop.mail.models import FORGOTTEN_AFTER
from shop.topology import EMAIL, ORDER
from tasks.models import Heartbeat
from tasks.sweeper import sweep
from tasks.tests.test_sweeper import MINUTE, NOTHING, confirmed, later, lose_messages, placed

pytestmark = pytest.mark.django_db(transaction=True)


def see_queue(name: str, *, messages: int, consumers: int, at: datetime) -> None:
    state = {"messages": messages, "consumers": consumers, "left_since": None}
    Heartbeat.objects.beat("queues", facts={name: state}, now=at)


@pytest.mark.parametrize(("messages", "consumers"), [(1, 0), (1000, 1)])
def test_leaves_orders_alone_behind_a_queue_without_workers_or_with_many_messages(
    messages: int, consumers: int
) -> None:
    placed()
    now = later()
    see_queue(ORDER, messages=messages, consumers=consumers, at=now)
    assert sweep(now=now) == NOTHING


@pytest.mark.parametrize(
    ("messages", "consumers", "age"), [(0, 0, 1), (999, 1, 1), (1000, 0, 3)]
)
def test_restarts_orders_behind_a_queue_that_moves_or_was_long_not_seen(
    messages: int, consumers: int, age: int
) -> None:
    placed()
    now = later()
    see_queue(ORDER, messages=messages, consumers=consumers, at=now - age * MINUTE)
    assert sweep(now=now)["orders_restarted"] == 1


def test_leaves_emails_alone_behind_a_queue_without_workers() -> None:
    confirmed()
    now = later(FORGOTTEN_AFTER)
    see_queue(ORDER, messages=0, consumers=1, at=now)
    assert sweep(now=now)["emails_announced"] == 1
    lose_messages()
    now += FORGOTTEN_AFTER + MINUTE
    see_queue(EMAIL, messages=1, consumers=0, at=now)
    assert sweep(now=now) == NOTHING
