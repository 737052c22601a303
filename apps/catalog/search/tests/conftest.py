"""No rule of a test is left to the next one."""

from collections.abc import Iterator

import pytest

from apps.catalog.search import rules


@pytest.fixture(autouse=True)
def _no_rules_left() -> Iterator[None]:
    rules.forget()
    yield
    rules.forget()
