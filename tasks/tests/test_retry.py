"""What a retried message has in common with the one that it follows."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from kombu import Connection

from shop.topology import ORDER
from tasks.queues import declare_queues
from tests.pipeline import eventually, worker_environment

# As a worker does that was given a message with these headers.
_SCRIPT = """
import django, json, os, uuid; django.setup()
from tasks.order_pipeline import confirm
confirm.push_request(
    id=str(uuid.uuid4()), args=[], kwargs={"order_id": 1}, called_directly=False,
    headers=json.loads(os.environ["HEADERS"]),
)
confirm.retry(countdown=1, throw=False)
"""


def retry(broker_url: str, *, headers: dict[str, object]) -> None:
    environment = {**worker_environment(broker_url), "HEADERS": json.dumps(headers)}
    subprocess.run([sys.executable, "-c", _SCRIPT], env=environment, check=True)  # noqa: S603 ours


def took(channel: Any, found: list[Any]) -> bool:
    message = channel.basic_get(ORDER, no_ack=True)
    found.extend([message] if message is not None else [])
    return bool(found)


@pytest.mark.django_db
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
        retry(url, headers={**ours, **written})
        eventually(lambda: took(channel, found), what="the retry on its queue")
    headers = found[0].headers
    assert headers.items() >= {**ours, "retries": 1}.items()
    assert "x-acquired-count" not in headers
    assert not headers.get("x-delivery-count")  # RabbitMQ may say 0, which is true of this one
