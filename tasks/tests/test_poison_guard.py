"""The guard against killer messages where the broker does not count deliveries."""

import socket
from typing import Any

import pytest
from celery.exceptions import Reject
from pytest_django.fixtures import Settings

from tasks import maintenance
from tasks.base import POISON_LIMIT
from tasks.models import DeadLetter
from tasks.order_pipeline import confirm


def come_again() -> int:
    """What the guard of a redelivered message of one task sees."""
    request: dict[str, Any] = {"id": "poison-1", "delivery_info": {"redelivered": True}}
    task: Any = confirm  # a ShopTask, which its type does not say
    task.push_request(**request)
    try:
        return int(task._earlier_deliveries())
    finally:
        task.pop_request()


def test_counts_every_delivery_that_comes_again() -> None:
    first = come_again()
    assert [come_again() for _ in range(POISON_LIMIT)] == [
        first + n for n in range(1, POISON_LIMIT + 1)
    ]


def test_lets_the_message_run_when_there_is_no_cache_to_count_in(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    caches = settings.CACHES
    settings.CACHES = {
        "default": {**caches["default"], "LOCATION": f"redis://127.0.0.1:{port}/0"}
    }
    assert come_again() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("task", "letters"), [(confirm, 1), (maintenance.prune, 0)])
def test_leaves_a_letter_of_all_but_the_maintenance(task: Any, letters: int) -> None:
    info = {"redelivered": True}
    task.push_request(id=f"poison-{task.name}", delivery_info=info, retries=0, headers=None)
    try:
        for _ in range(POISON_LIMIT):
            task._earlier_deliveries()
        with pytest.raises(Reject):
            task(order_id=1)
    finally:
        task.pop_request()
    assert DeadLetter.objects.count() == letters
