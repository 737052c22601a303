"""The running pipeline, for the tests of this directory that want it."""

import os
from collections.abc import Iterator

import pytest

from tests.pipeline import Pipeline, eventually, running_pipeline


@pytest.fixture(
    params=["redis", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)], scope="module"
)
def pipeline(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[Pipeline]:
    """One broker after the other: two relays on one outbox would share the messages."""
    if request.param == "rabbitmq":
        broker_url = request.getfixturevalue("rabbitmq")
    else:  # a database of its own, because the relay's tests look into the usual one
        broker_url = os.environ["REDIS_URL"].rpartition("/")[0] + "/2"
    with running_pipeline(broker_url) as running:
        yield running


@pytest.fixture
def nothing_left_over(
    pipeline: Pipeline, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Empty queues before and after, idle processes after; our own broker is the pipeline's."""
    monkeypatch.setenv("CELERY_BROKER_URL", pipeline.broker_url)  # Celery prefers it
    pipeline.purge()
    yield
    # The tables are emptied next, and that must not meet a worker at its work; nor may one find
    # a dead letter of this test when the next has begun.
    eventually(pipeline.is_idle, what="workers and relay idle")
    pipeline.purge()
