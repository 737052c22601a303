"""A shop whose engine has no index yet."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.indexing.writing import patient


@pytest.fixture
def engine(search_engine: str, settings: Settings) -> Iterator[str]:
    """Its URL. No index of an earlier test is there, and none stays."""
    settings.SEARCH_URL = search_engine
    _drop_all()
    yield search_engine
    _drop_all()


def _drop_all() -> None:
    for name in patient().indices.get_alias(index=f"{ALIAS}-*"):
        patient().indices.delete(index=name)
