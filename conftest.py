"""Fixtures that every test may use."""

import os

import pytest

from tests.pipeline import end_leftovers


@pytest.fixture(scope="session")
def rabbitmq() -> str:
    """The URL of a real RabbitMQ, for tests marked `rabbitmq`: tests/servers.py has set it."""
    return os.environ["RABBITMQ_URL"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Called by pytest-django before it makes the test database."""
    end_leftovers()
