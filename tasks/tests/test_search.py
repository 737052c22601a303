"""What is dirty is brought to the indexes; without any there is nothing to keep."""

import signal
import threading
import time

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone
from elasticsearch import TransportError
from pytest_django import Settings

from apps.catalog.models import Category, Product
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.indexing import comparing, indexes, rebuilding
from apps.catalog.search.indexing.writing import patient
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
    rebuilding.rebuild(clock=timezone.now)
    with alone(rebuilding._LOCK, waiting=lambda: None):
        assert run_at_once([compare_index]) == ["0 of 1 differed"]
    assert Heartbeat.objects.get(name=SEARCH).facts["products"] == 1


@pytest.mark.usefixtures("engine")
def test_a_night_whose_comparison_fails_drops_old_indexes_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TransportError("away")

    make_variant("MUG")
    rebuild_index()
    rebuild_index()
    SearchIndex.objects.filter(state=SearchIndex.State.OLD).update(
        retired_at=timezone.now() - indexes.KEPT
    )
    monkeypatch.setattr(comparing, "settled", fail)
    with pytest.raises(TransportError):
        compare_index()
    assert not SearchIndex.objects.filter(state=SearchIndex.State.OLD).exists()
    assert not Heartbeat.objects.filter(name=SEARCH).exists()


@pytest.mark.usefixtures("engine")
def test_an_index_that_the_engine_has_lost_was_not_compared() -> None:
    make_variant("MUG")
    rebuild_index()
    patient().indices.delete(index=SearchIndex.objects.get().name)
    assert compare_index() == "there is no index"
    assert not Heartbeat.objects.filter(name=SEARCH).exists()


@pytest.mark.usefixtures("engine")
def test_the_night_sweeps_tombstones_after_everybody_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []
    product = make_variant("MUG").product
    rebuild_index()
    product.variants.all().delete()
    product.delete()
    index_products()
    monkeypatch.setattr(time, "sleep", waited.append)
    assert compare_index() == "0 of 0 differed"
    patient().indices.refresh(index=ALIAS)
    assert patient().count(index=ALIAS)["count"] == 0
    assert waited == [30]


def test_a_rebuild_that_is_out_of_time_drops_its_index_whatever_it_waits_for(
    engine: str,  # noqa: F811 the fixture
    settings: Settings,
) -> None:
    make_variant("MUG")

    def end_the_task(*_: object) -> None:
        raise SoftTimeLimitExceeded

    def is_out_of_time(_body: bytes) -> bool:
        time.sleep(0.3)  # until it waits for the answer, and does not open it just then
        signal.pthread_kill(main, signal.SIGUSR1)
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
