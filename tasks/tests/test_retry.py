"""What a retried message has in common with the one that it follows."""

import os
import uuid
from typing import Any

import pytest
from kombu import Connection

from shop.topology import ORDER
from tasks.order_pipeline import confirm
from tasks.queues import declare_queues
from tests.pipeline import eventually


def retry(connection: Connection, *, headers: dict[str, object]) -> None:
    """As a worker does that was given a message with these headers."""
    task: Any = confirm  # a ShopTask, which its type does not say
    facts = {"id": str(uuid.uuid4()), "kwargs": {"order_id": 1}, "args": []}
    task.push_request(**facts, called_directly=False, headers=headers)
    try:
        task.retry(countdown=1, throw=False, connection=connection)
    finally:
        task.pop_request()


def took(connection: Connection, found: list[Any]) -> bool:
    channel: Any = connection.default_channel
    message = channel.basic_get(ORDER, no_ack=True)
    found.extend([message] if message is not None else [])
    return bool(found)


@pytest.mark.parametrize(
    "broker", ["redis", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)]
)
def test_takes_the_request_along_and_nothing_that_the_broker_wrote(
    broker: str, request: pytest.FixtureRequest
) -> None:
    is_redis = broker == "redis"
    url = os.environ["CELERY_BROKER_URL"] if is_redis else request.getfixturevalue("rabbitmq")
    ours = {"request_id": "retried-request", "order": "K7MX2WQ9RTHB"}
    written = {"x-delivery-count": 4, "x-acquired-count": 4, "x-death": []}
    found: list[Any] = []
    with Connection(url) as connection:
        declare_queues(connection)
        channel: Any = connection.default_channel
        channel.queue_purge(ORDER)
        retry(connection, headers={**ours, **written})
        eventually(lambda: took(connection, found), what="the retry on its queue")
    headers = found[0].headers
    assert headers.items() >= {**ours, "retries": 1}.items()
    assert "x-acquired-count" not in headers
    assert not headers.get("x-delivery-count")  # RabbitMQ may say 0, which is true of this one
