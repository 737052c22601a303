"""Fixtures that every test may use."""

import os

import pytest

from deploy.embedded import Servers
from tests.servers import DIRECTORY


@pytest.fixture(scope="session")
def rabbitmq() -> str:
    """The URL of a real RabbitMQ: RABBITMQ_URL if it is set, else one that is started here."""
    given = os.environ.get("RABBITMQ_URL")
    return given or Servers(DIRECTORY).up(rabbitmq=True)["CELERY_BROKER_URL"]
