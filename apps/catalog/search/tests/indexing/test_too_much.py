"""What is too much for the engine at once comes in halves; what never fits waits alone."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.catalog.models import Product
from apps.catalog.search.engine import client as connection
from apps.catalog.search.engine.document import entries
from apps.catalog.search.indexing import comparing, draining, rebuilding, writing
from apps.catalog.search.indexing.draining import drain_batch
from apps.catalog.search.indexing.writing import EngineAway
from apps.catalog.search.models import DirtyProduct, SearchIndex
from apps.catalog.search.tests.indexing.fussy import fussy_engine
from tests.builders import make_variant

pytestmark = pytest.mark.django_db(transaction=True)

_NOW = datetime(2030, 1, 1, tzinfo=UTC)


def rebuild() -> None:
    rebuilding.rebuild(clock=timezone.now)


def different() -> int:
    live = SearchIndex.objects.get(state="live")
    return comparing.compare(live.name, with_content=True).different


def more_than_three(body: bytes) -> bool:
    return body.count(b'"version_type"') > 3


def has_an_elephant(body: bytes) -> bool:
    return b'"Elephant"' in body


@pytest.fixture
def eight(engine: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The engine of a shop whose eight products have changed."""
    monkeypatch.setattr(connection, "SEARCH_TIMEOUT", 5)  # to say that it is there
    monkeypatch.setattr(draining, "WORKERS_TIMEOUT", 1.0)
    rebuild()
    for n in range(8):
        make_variant(f"SKU{n}")
    yield engine
    settings.SEARCH_URL = engine


@pytest.mark.parametrize("says_so", [True, False], ids=["413", "no answer in time"])
def test_a_batch_that_the_engine_cannot_take_is_written_in_halves(
    eight: str, says_so: bool, settings: Any
) -> None:
    with fussy_engine(eight, is_too_much=more_than_three, says_so=says_so) as url:
        settings.SEARCH_URL = url
        assert [drain_batch() for _ in range(8)] == [8, 4, 4, 2, 2, 2, 2, 0]
    settings.SEARCH_URL = eight
    assert different() == 0


def test_a_batch_that_the_engine_does_not_even_read_in_time_comes_in_halves(
    eight: str, settings: Any
) -> None:
    elephant = Product.objects.order_by("pk")[:1]
    Product.objects.filter(pk__in=elephant).update(description="A mug. " * 2_000_000)
    with fussy_engine(eight, largest=1_000_000) as url:
        settings.SEARCH_URL = url
        assert drain_batch() == 8
    assert set(DirtyProduct.objects.values_list("together", flat=True)) == {4}


def test_a_batch_of_many_requests_that_are_slow_together_comes_in_halves(
    eight: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_LARGEST", 1)  # so that each product is a request

    def is_never(_: bytes) -> bool:
        time.sleep(0.5)
        return False

    with fussy_engine(eight, is_too_much=is_never) as url:
        settings.SEARCH_URL = url
        assert drain_batch() == 8
    assert set(DirtyProduct.objects.values_list("together", flat=True)) == {4}


def test_an_engine_that_goes_away_after_it_was_slow_is_waited_for(
    eight: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_REBUILDS_TIMEOUT", 1.0)
    asked: list[int] = []

    def is_the_first(body: bytes) -> bool:
        asked.append(len(body))
        if len(asked) > 1:
            raise ConnectionAbortedError
        return True

    changed = entries(list(Product.objects.values_list("pk", flat=True)), gone={})
    with fussy_engine(eight, is_too_much=is_the_first, says_so=False) as url:
        settings.SEARCH_URL = url
        with pytest.raises(EngineAway):
            writing.write_all(changed, indexes=writing.written_indexes())
    assert len(asked) == 2


def test_no_request_is_larger_than_a_small_engine_takes(
    eight: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_LARGEST", 100_000)
    Product.objects.update(description="A mug. " * 5_000)  # 280,000 bytes of all
    with fussy_engine(eight, largest=100_000) as url:
        settings.SEARCH_URL = url
        assert [drain_batch() for _ in range(2)] == [8, 0]
    settings.SEARCH_URL = eight
    assert different() == 0


@pytest.mark.parametrize("says_so", [True, False], ids=["413", "no answer in time"])
def test_a_product_that_never_fits_is_set_aside_visibly_and_blocks_no_other(
    eight: str, says_so: bool, settings: Any
) -> None:
    elephant = make_variant("ELEPHANT").product
    Product.objects.filter(pk=elephant.pk).update(name="Elephant")
    with fussy_engine(eight, is_too_much=has_an_elephant, says_so=says_so) as url:
        settings.SEARCH_URL = url
        assert [drain_batch() for _ in range(20)][-1] == 0
        assert different() == 1
        mark = DirtyProduct.objects.get()
        assert mark.pk == elephant.pk
        assert str(mark).endswith(", too much for the engine")
        make_variant("CUP")
        assert drain_batch() == 1  # the cup
    settings.SEARCH_URL = eight
    DirtyProduct.objects.update(claimed_until=None)  # as some minutes later
    assert drain_batch() == 1
    assert different() == 0


@pytest.mark.parametrize("products", [1, 2])
def test_a_product_that_failed_alone_once_is_tried_again_at_once(
    engine: str, settings: Any, monkeypatch: pytest.MonkeyPatch, products: int
) -> None:
    monkeypatch.setattr(draining, "WORKERS_TIMEOUT", 1.0)
    rebuild()
    for n in range(products):
        make_variant(f"CUP{n}")
    with fussy_engine(engine, is_too_much=lambda _: True, says_so=False) as url:
        settings.SEARCH_URL = url  # as one that stood still, and answers again
        for _ in range(products):  # both together, and then one of them
            assert drain_batch() > 0
    settings.SEARCH_URL = engine
    assert sum(drain_batch() for _ in range(products)) == products
    assert different() == 0


@pytest.mark.usefixtures("eight")
def test_what_was_too_much_and_has_changed_comes_with_all_others_again() -> None:
    DirtyProduct.objects.halve(list(DirtyProduct.objects.claim(limit=8, now=_NOW)), now=_NOW)
    claimed = DirtyProduct.objects.claim(limit=8, now=_NOW)
    assert len(claimed) == 4
    Product.objects.filter(pk__in=claimed).update(name="Changed meanwhile")
    DirtyProduct.objects.settle(claimed)
    assert DirtyProduct.objects.filter(together=None).count() == 4


def test_a_new_index_is_filled_in_halves(eight: str, settings: Any) -> None:
    with fussy_engine(eight, is_too_much=more_than_three, says_so=True) as url:
        settings.SEARCH_URL = url
        rebuild()
        assert different() == 0


def test_a_new_index_lacks_only_what_never_fits_and_that_is_marked(
    eight: str, settings: Any
) -> None:
    elephant = make_variant("ELEPHANT").product
    Product.objects.filter(pk=elephant.pk).update(name="Elephant")
    DirtyProduct.objects.all().delete()  # as in a shop that has no index yet
    with fussy_engine(eight, is_too_much=has_an_elephant, says_so=True) as url:
        settings.SEARCH_URL = url
        rebuild()
        assert different() == 1
    assert DirtyProduct.objects.get().pk == elephant.pk
    settings.SEARCH_URL = eight
    assert drain_batch() == 1
    assert different() == 0


def test_a_new_index_lacks_only_what_the_engine_refuses_and_that_is_marked(
    engine: str,
) -> None:
    make_variant("CUP")
    refused = make_variant("MUG").product
    # A word may have 32,766 bytes at most.
    Product.objects.filter(pk=refused.pk).update(description="x" * 40_000)
    DirtyProduct.objects.all().delete()  # as in a shop that has no index yet
    rebuild()
    assert different() == 1
    assert DirtyProduct.objects.get().pk == refused.pk


def test_a_new_index_is_given_up_when_the_engine_answers_but_writes_nothing(
    eight: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_REBUILDS_TIMEOUT", 1.0)
    asked: list[int] = []

    def is_anything(body: bytes) -> bool:
        asked.append(len(body))
        return True

    with fussy_engine(eight, is_too_much=is_anything, says_so=False) as url:
        settings.SEARCH_URL = url
        with pytest.raises(CommandError, match="The search engine: the engine needs too long"):
            call_command("init_search")
    assert len(asked) == 7  # 8, 4, 2, 1, 1, 2, 1: not all of them
    states = SearchIndex.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["live", "failed"]


def test_an_engine_that_answers_nothing_at_all_halves_nothing(
    eight: str, settings: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        settings.SEARCH_URL = f"http://127.0.0.1:{frozen.getsockname()[1]}"
        with pytest.raises(EngineAway):
            drain_batch()
    assert set(DirtyProduct.objects.values_list("together", flat=True)) == {None}
