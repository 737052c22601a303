"""What is dirty is brought to the indexes; without any there is nothing to keep."""

import signal
import threading
import time

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from apps.catalog.models import Category, Product
from apps.catalog.search.indexing import rebuilding
from apps.catalog.search.models import DirtyProduct, Renaming, SearchIndex
from apps.catalog.search.tests.following import note
from apps.catalog.search.tests.indexing.conftest import engine  # noqa: F401 a fixture
from apps.catalog.search.tests.indexing.fussy import fussy_engine
from shop.alone import alone
from tasks.models import SEARCH, Heartbeat
from tasks.search import compare_index, index_products, rebuild_index
from tests.builders import make_variant
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_marks_do_not_pile_up_in_a_shop_without_an_index() -> None:
    for n in range(3):
        make_variant(f"SKU{n}")
    assert index_products() == 3
    assert not DirtyProduct.objects.exists()


def test_products_follow_a_renamed_category() -> None:
    product = make_variant("MUG").product
    before = Product.objects.get(pk=product.pk).search_version
    Category.objects.update(name="Scullery")
    ends_at = time.monotonic() + 30
    while Renaming.objects.exists():  # until what else runs in this server has ended
        index_products()
        assert time.monotonic() < ends_at
    assert Product.objects.get(pk=product.pk).search_version == before + 1


def test_a_renaming_that_waits_for_a_product_holds_up_no_mark() -> None:
    product = make_variant("MUG").product
    Category.objects.update(name="Scullery")
    note()
    with transaction.atomic():
        Product.objects.select_for_update().get(pk=product.pk)
        assert run_at_once([index_products]) == [1]
    assert Renaming.objects.get().failures == 1


@pytest.mark.usefixtures("engine")
def test_the_nightly_comparison_goes_on_while_an_index_is_made() -> None:
    make_variant("MUG")
    rebuilding.rebuild(clock=timezone.now, show=lambda _step, _done, _of: None)
    with alone(rebuilding._LOCK, waiting=lambda: None):
        assert run_at_once([compare_index]) == ["0 of 1 differed"]
    assert Heartbeat.objects.get(name=SEARCH).facts["products"] == 1


def test_a_rebuild_that_is_out_of_time_drops_its_index_whatever_it_waits_for(
    engine: str,  # noqa: F811 the fixture
    settings: Settings,
) -> None:
    make_variant("MUG")

    def end_the_task(*_: object) -> None:
        raise SoftTimeLimitExceeded

    def is_out_of_time(_body: bytes) -> bool:
        signal.pthread_kill(main, signal.SIGUSR1)  # while the engine is asked
        return True

    main = threading.main_thread().ident or 0
    before = signal.signal(signal.SIGUSR1, end_the_task)
    try:
        with fussy_engine(engine, is_too_much=is_out_of_time, says_so=False) as url:
            settings.SEARCH_URL = url
            with pytest.raises(SoftTimeLimitExceeded):
                rebuild_index()
        settings.SEARCH_URL = engine
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert SearchIndex.objects.get().state == SearchIndex.State.FAILED
