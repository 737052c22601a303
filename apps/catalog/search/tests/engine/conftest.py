"""A real engine with an index of what the test has made."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.catalog.search.engine import client as connection
from apps.catalog.search.tests.engine.index import Index


@pytest.fixture
def index(
    search_engine: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Index]:
    """An empty index under the name that is searched. None of an earlier test is there."""
    settings.SEARCH_URL = search_engine
    # These tests ask what the answer is; the machine that runs them may be busy.
    monkeypatch.setattr(connection, "SEARCH_TIMEOUT", 30)
    forget: Callable[[], None] = connection._client.cache_clear
    forget()
    made = Index()
    made.make()
    yield made
    made.drop()
    forget()
