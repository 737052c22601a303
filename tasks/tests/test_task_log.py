"""One line a task, which says how it ended, and nothing of it in the next one's."""

import json
from typing import Any

import pytest
from structlog.contextvars import get_contextvars

from apps.orders.checkout import place_order
from apps.orders.models import Order
from shop import log_context
from shop.mail.models import OutgoingEmail
from tasks.order_pipeline import confirm, deliver, update_inventory
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant

pytestmark = pytest.mark.django_db(transaction=True)  # ShopTask looks at the connections

HEADERS = {"request_id": "first-request", "order": "K7MX2WQ9RTHB"}


def placed() -> Order:
    lines = [make_line(make_variant(on_hand=1))]
    return place_order(make_purchase(make_customer()), lines=lines, now=NOON)


def run(task: Any, **arguments: Any) -> None:
    """As a worker would that was given a message with the task."""
    task.apply(task_id="task-1", throw=False, **arguments)


def line_of_the_end(log: list[str]) -> dict[str, Any]:
    (line,) = [json.loads(line) for line in log if '"event": "task"' in line]
    assert isinstance(line.pop("duration_ms"), int)
    return {name: line[name] for name in line if name not in ("timestamp", "level", "logger")}


def test_says_what_the_task_found(log: list[str]) -> None:
    run(update_inventory, kwargs={"order_id": placed().pk}, headers=HEADERS, retries=2)
    assert line_of_the_end(log) == {
        "event": "task",
        **HEADERS,
        "task": "tasks.order_pipeline.update_inventory",
        "task_id": "task-1",
        "attempt": 3,
        "queue": "order.process",
        "outcome": "pending",
    }


def test_says_why_the_task_failed(log: list[str]) -> None:
    order = placed()
    run(deliver, kwargs={"order_id": order.pk}, headers=HEADERS)
    line = line_of_the_end(log)
    assert line["outcome"] == "failure"
    assert (
        line["reason"]
        == f"WrongStatus: Order {order.number} cannot go from pending to delivered."
    )


def test_nothing_of_a_task_is_left_for_the_next_one(log: list[str]) -> None:
    order = placed()
    run(update_inventory, kwargs={"order_id": order.pk}, headers=HEADERS)
    assert get_contextvars() == {}
    log.clear()
    run(confirm, kwargs={"order_id": order.pk})
    assert not line_of_the_end(log).keys() & HEADERS.keys()
    assert OutgoingEmail.objects.get().request_id == ""


def test_a_mail_that_a_task_writes_knows_the_request() -> None:
    run(confirm, kwargs={"order_id": placed().pk}, headers=HEADERS)
    assert OutgoingEmail.objects.get().request_id == "first-request"


@pytest.mark.parametrize("brought", [None, [], "request_id", {"x-death": [1], "order": None}])
def test_a_message_that_brings_something_else_brings_nothing(brought: object) -> None:
    assert log_context.carried_by(brought) == {}
