"""Fixtures that every test may use."""

import os
from collections.abc import Iterator

import pytest
from django.conf import settings

from deploy.embedded.standby import Standby
from tests.pipeline import end_leftovers
from tests.servers import SEARCH_ENGINES
from tests.standby import mend, suite_servers
from tests.virtual_host import virtual_host


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[str]:
    """The URL of a real RabbitMQ, for tests marked `rabbitmq`: tests/servers.py has set it.

    As with the database, it is empty: no queue of an earlier version is there.
    """
    name = settings.DATABASES["default"]["TEST"]["NAME"]
    with virtual_host(os.environ["RABBITMQ_URL"], name=name) as url:
        yield url


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.search) for name in SEARCH_ENGINES],
    scope="session",
)
def search_engine(request: pytest.FixtureRequest) -> str:
    """The URL of a real search engine, one after the other: tests/servers.py has set it."""
    return os.environ[SEARCH_ENGINES[request.param]]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Called by pytest-django before it makes the test database."""
    end_leftovers()


@pytest.fixture(scope="session")
def standby() -> Standby:
    """The suite's own, following and caught up: tests/standby.py can break it."""
    standby = suite_servers().standby
    mend(standby)
    return standby


@pytest.fixture
def standby2() -> Iterator[Standby]:
    """A second one, copied for this test."""
    made = suite_servers().standby2
    mend(made)
    yield made
    made.remove()
