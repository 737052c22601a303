"""What a test leaves is not there for the next one."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from apps.catalog.search import rules


@pytest.fixture(autouse=True)
def _no_rules_left() -> Iterator[None]:
    rules.forget()
    yield
    rules.forget()


@pytest.fixture
def no_failures_counted() -> Iterator[None]:
    """The engine has answered all the time, also for the tests after this one."""
    keys = ["search:away", "search:failures", "search:probe"]
    cache.delete_many(keys)
    yield
    cache.delete_many(keys)
