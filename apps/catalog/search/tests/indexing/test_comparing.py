"""What differs only because its new name is still on its way is no difference."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.catalog.models import Brand
from apps.catalog.search.indexing import comparing, rebuilding
from apps.catalog.search.indexing.draining import drain_batch
from apps.catalog.search.models import Renaming
from apps.catalog.search.tests.following import follow, note
from apps.catalog.search.tests.goods import make_goods
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def index(engine: str) -> str:
    """The live one, of a product that does not have the new name of its brand yet."""
    make_goods("Mug", brand="Hardwick")
    index = rebuilding.rebuild(clock=timezone.now).index
    while drain_batch():
        pass
    Brand.objects.update(name="Acme")
    note()
    return index.name


def differences(index: str) -> int:
    return comparing.settled(index, with_content=True, patience=1).different


def test_a_product_that_waits_for_a_new_name_does_not_differ(index: str) -> None:
    assert differences(index) == 0
    assert Renaming.objects.exists()


def test_a_product_that_gets_its_new_name_just_then_does_not_differ(index: str) -> None:
    """After the first look at what waits, and before the second."""

    def followed_after(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if "search_renaming" in sql or "search_dirtyproduct" in sql:
            follower = threading.Thread(target=lambda: run_at_once([follow]))
            follower.start()
            follower.join()
        return found

    with connection.execute_wrapper(followed_after):
        assert differences(index) == 0
    assert not Renaming.objects.exists()
