"""The worker goes on, whatever one of several indexes or another process does."""

from typing import Any

import pytest
from django.utils import timezone
from elasticsearch import ApiError, TransportError

from apps.catalog.models import Product
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.indexing import draining, indexes, rebuilding, writing
from apps.catalog.search.indexing.draining import drain_batch
from apps.catalog.search.indexing.writing import EngineAway, patient
from apps.catalog.search.models import DirtyProduct, SearchIndex
from shop.alone import alone
from tests.builders import make_variant

pytestmark = pytest.mark.django_db(transaction=True)

_PLACE = "index.routing.allocation.require._name"


def rebuild() -> SearchIndex:
    return rebuilding.rebuild(clock=timezone.now).index


def take_the_data_of(index: str) -> None:
    """The engine goes on, but finds no place for them."""
    patient().indices.delete(index=index)
    patient().indices.create(
        index=index, settings={_PLACE: "of no node"}, wait_for_active_shards=0
    )


def rename(product: Product) -> None:
    Product.objects.filter(pk=product.pk).update(name="Cup")


def name_in(index: str, product: Product) -> str:
    return str(patient().get(index=index, id=str(product.pk))["_source"]["name"])


@pytest.fixture
def mug(engine: str) -> Product:
    """Of a shop with an index and one before it; nothing is dirty."""
    product = make_variant("MUG", on_hand=1).product
    rebuild()
    rebuild()
    while drain_batch():
        pass
    return product


def test_an_old_index_that_refuses_a_change_holds_up_nobody(mug: Product) -> None:
    old = SearchIndex.objects.get(state="old")
    patient().indices.put_settings(index=old.name, settings={"index.blocks.write": True})
    rename(mug)
    assert drain_batch() == 1
    assert not DirtyProduct.objects.exists()
    assert name_in(ALIAS, mug) == "Cup"


def test_an_old_index_whose_data_is_lost_holds_up_nobody(
    mug: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "WORKERS_TIMEOUT", 4.0)
    take_the_data_of(SearchIndex.objects.get(state="old").name)
    rename(mug)
    assert drain_batch() == 1
    assert not DirtyProduct.objects.exists()
    assert name_in(ALIAS, mug) == "Cup"


def test_a_new_index_that_is_not_there_yet_holds_up_no_other_and_loses_nothing(
    mug: Product,
) -> None:
    with alone(rebuilding._LOCK, waiting=pytest.fail):
        new = indexes.begin_index(now=timezone.now())
        rename(mug)
        assert drain_batch() == 1
        assert name_in(ALIAS, mug) == "Cup"
        assert DirtyProduct.objects.get().pk == mug.pk
        indexes.make_index(new)
    DirtyProduct.objects.update(claimed_until=None)  # as some seconds later
    assert drain_batch() == 1
    assert not DirtyProduct.objects.exists()
    assert name_in(new.name, mug) == "Cup"


def test_an_index_that_a_killed_run_has_left_holds_up_nobody(mug: Product) -> None:
    indexes.begin_index(now=timezone.now())
    rename(mug)
    assert drain_batch() == 1
    assert not DirtyProduct.objects.exists()
    assert name_in(ALIAS, mug) == "Cup"


def test_an_index_whose_data_is_not_there_yet_is_no_batch_that_is_too_much(
    mug: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "WORKERS_TIMEOUT", 4.0)
    live = SearchIndex.objects.get(state="live").name
    take_the_data_of(live)
    rename(mug)
    with pytest.raises(EngineAway):
        drain_batch()
    assert DirtyProduct.objects.get().together is None
    patient().indices.put_settings(index=live, settings={_PLACE: None})
    patient().cluster.health(index=live, wait_for_status="yellow")
    DirtyProduct.objects.update(claimed_until=None)  # as some seconds later
    assert drain_batch() == 1
    assert name_in(live, mug) == "Cup"


def test_marks_are_kept_while_the_engine_has_no_address(mug: Product, settings: Any) -> None:
    url, settings.SEARCH_URL = settings.SEARCH_URL, ""
    rename(mug)
    assert drain_batch() == 0
    assert DirtyProduct.objects.get().pk == mug.pk
    settings.SEARCH_URL = url
    assert drain_batch() == 1
    assert name_in(ALIAS, mug) == "Cup"


def test_an_old_index_that_is_gone_is_dropped_and_nobody_goes_back_to_it(mug: Product) -> None:
    old = SearchIndex.objects.get(state="old")
    patient().indices.delete(index=old.name)
    with pytest.raises(rebuilding.CannotRebuild, match="no index to go back to"):
        rebuilding.roll_back(now=timezone.now())
    old.refresh_from_db()
    assert old.state == "dropped"


def test_nobody_goes_back_to_an_index_whose_data_is_lost(
    mug: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_PATIENCE", 3.0)
    live = SearchIndex.objects.get(state="live")
    take_the_data_of(SearchIndex.objects.get(state="old").name)
    with pytest.raises((ApiError, TransportError)):
        rebuilding.roll_back(now=timezone.now())
    assert list(patient().indices.get_alias(name=ALIAS)) == [live.name]
    live.refresh_from_db()
    assert live.state == "live"
    assert name_in(ALIAS, mug) == mug.name
