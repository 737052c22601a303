"""The index equals the database, whatever overtakes what while it is made and written.

Each test is one way in which it would not: a write that comes late, one that does not know of
the new index, one between two steps of init_search, a death in the middle.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.catalog.models import Product, Variant
from apps.catalog.search.engine.document import ALIAS, entries
from apps.catalog.search.indexing import comparing, indexes, rebuilding
from apps.catalog.search.indexing.draining import drain_batch
from apps.catalog.search.indexing.rebuilding import Rebuilt
from apps.catalog.search.indexing.writing import EngineAway, patient, write, written_indexes
from apps.catalog.search.models import DirtyProduct, SearchIndex
from tests.builders import make_variant
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)

State = SearchIndex.State


STEPS = ["products read", "documents compared", "versions compared", "made live"]


def rebuild(*, at: str = "", call: Callable[[], object] = lambda: None) -> Rebuilt:
    """init_search; `call` is made once, when the step `at` is done."""
    calls = [call] if at else []
    make_live = indexes.make_live

    def make_live_and_call(index: SearchIndex, *, now: datetime) -> None:
        make_live(index, now=now)
        if at == "made live":
            calls.pop()()

    def show(step: str, done: int, of: int) -> None:
        if calls and step == at and done == of:
            calls.pop()()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexes, "make_live", make_live_and_call)
        rebuilt = rebuilding.rebuild(clock=timezone.now, show=show)
    assert not calls
    return rebuilt


def drain() -> None:
    while drain_batch():
        pass


def differences() -> dict[str, int]:
    """How many products differ, by the state of the index that is written."""
    rows = SearchIndex.objects.filter(state__in=["building", "live", "old"])
    return {row.state: comparing.compare(row.name, with_content=True).different for row in rows}


def rename(product: Product, name: str) -> None:
    Product.objects.filter(pk=product.pk).update(name=name)


def document(product_id: int) -> dict[str, Any]:
    patient().indices.refresh(index=ALIAS)
    return dict(patient().get(index=ALIAS, id=str(product_id))["_source"])


def pieces(index: SearchIndex) -> int:
    stats = patient().indices.stats(index=index.name, metric="segments")
    return int(stats["_all"]["total"]["segments"]["count"])


@pytest.fixture
def mug(engine: str) -> Product:
    """One of three products."""
    make_variant("POT", on_hand=1)
    make_variant("JUG", on_hand=9)
    return make_variant("MUG", on_hand=9).product


def test_a_new_index_is_in_one_piece(mug: Product) -> None:
    index = indexes.begin_index(now=timezone.now())
    indexes.make_index(index)
    for product in Product.objects.all():
        write(entries([product.pk], gone={}), indexes=[index.name])
        patient().indices.refresh(index=index.name)
    assert pieces(index) == 3
    indexes.finish(index)
    assert pieces(index) == 1


def test_init_search_makes_an_index_of_all_products_and_a_second_one_beside_it(
    mug: Product,
) -> None:
    first = rebuild()
    assert (first.documents, first.is_new) == (3, True)
    second = rebuild()
    assert list(patient().indices.get_alias(name=ALIAS)) == [second.index.name]
    assert differences() == {"live": 0, "old": 0}
    third = rebuild()
    states = dict(SearchIndex.objects.values_list("name", "state"))
    assert states == {
        first.index.name: "dropped",
        second.index.name: "old",
        third.index.name: "live",
    }
    assert not patient().indices.exists(index=first.index.name)


def test_an_empty_shop_has_an_empty_index(engine: str) -> None:
    assert rebuild().documents == 0
    make_variant("MUG")
    drain()
    assert differences() == {"live": 0}


def test_only_if_changed_leaves_an_index_of_the_same_mapping_and_mends_it(mug: Product) -> None:
    name = rebuild().index.name
    rename(mug, "Cup")
    DirtyProduct.objects.all().delete()  # as if it had been lost
    again = rebuilding.rebuild(clock=timezone.now, if_changed=True)
    assert (again.is_new, again.index.name, again.caught_up) == (False, name, 1)
    drain()
    assert document(mug.pk)["name"] == "Cup"
    SearchIndex.objects.update(mapping_hash="another")
    assert rebuilding.rebuild(clock=timezone.now, if_changed=True).is_new


@pytest.mark.parametrize(
    "change",
    [
        lambda mug: rename(mug, "Cup"),
        lambda mug: Product.objects.filter(pk=mug.pk).update(is_published=False),
        lambda mug: Variant.objects.filter(product=mug).update(is_active=False),
        lambda mug: Variant.objects.filter(product=mug).update(price=1),
        lambda _mug: make_variant("CUP"),
    ],
)
def test_a_change_reaches_every_index_that_is_written_with_its_version(
    mug: Product, change: Callable[[Product], object]
) -> None:
    rebuild()
    rebuild()
    indexes.make_index(indexes.begin_index(now=timezone.now()))
    drain()
    assert differences() == {"live": 0, "old": 0, "building": 0}  # all were dirty
    change(mug)
    assert differences() == {"live": 1, "old": 1, "building": 1}
    drain()
    assert differences() == {"live": 0, "old": 0, "building": 0}


def test_a_write_that_comes_late_does_not_bring_an_old_state_back(mug: Product) -> None:
    rebuild()
    late = entries([mug.pk], gone={})
    rename(mug, "Cup")
    drain()
    assert write(late, indexes=written_indexes()) == set()
    assert document(mug.pk)["name"] == "Cup"


def test_a_write_that_comes_late_does_not_bring_back_what_was_deleted(engine: str) -> None:
    variant = make_variant("MUG")
    rebuild()
    late = entries([variant.product_id], gone={})
    product = variant.product
    pk = product.pk
    drain()
    variant.delete()
    product.delete()
    drain()
    write(late, indexes=written_indexes())
    assert document(pk)["deleted"]
    assert differences() == {"live": 0}


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_does_not_know_of_the_new_index_yet_loses_nothing(
    mug: Product, step: str
) -> None:
    known = [rebuild().index.name]
    spare = make_variant("SPARE")
    drain()

    def change_and_write_to_the_old_one() -> None:
        rename(mug, "Cup")
        product = spare.product
        spare.delete()
        product.delete()
        make_variant("NEW")
        marks = dict(DirtyProduct.objects.values_list("product_id", "version"))
        write(entries(list(marks), gone=marks), indexes=known)
        DirtyProduct.objects.settle(marks)

    rebuild(at=step, call=change_and_write_to_the_old_one)
    assert not DirtyProduct.objects.exists()
    assert differences() == {"live": 0, "old": 0}


@pytest.mark.parametrize("step", STEPS)
def test_what_a_worker_writes_while_an_index_is_made_is_in_all_of_them(
    mug: Product, step: str
) -> None:
    rebuild()

    def change() -> None:
        rename(mug, "Cup")
        drain()

    rebuild(at=step, call=change)
    assert differences() == {"live": 0, "old": 0}


class Killed(BaseException):
    """As the process that gets it ends, nothing tidies up."""


@pytest.mark.parametrize("step", STEPS[:-1])
def test_the_next_run_drops_what_a_killed_one_has_left(
    mug: Product, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = rebuild().index.name

    def die() -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(rebuilding, "_give_up", lambda _index, **_: None)
        with pytest.raises(Killed):
            rebuild(at=step, call=die)
    assert list(patient().indices.get_alias(name=ALIAS)) == [live]
    left = SearchIndex.objects.get(state=State.BUILDING)
    rebuild()
    left.refresh_from_db()
    assert left.state == State.FAILED
    assert not patient().indices.exists(index=left.name)
    assert differences() == {"live": 0, "old": 0}


def test_the_next_run_believes_the_alias_where_a_killed_one_has_not_written_its_rows(
    mug: Product,
) -> None:
    first = rebuild().index
    second = rebuild().index
    SearchIndex.objects.filter(pk=second.pk).update(state=State.BUILDING, live_at=None)
    SearchIndex.objects.filter(pk=first.pk).update(state=State.LIVE)
    rebuilding.prune(now=timezone.now())
    states = dict(SearchIndex.objects.values_list("name", "state"))
    assert states == {first.name: "old", second.name: "live"}


def test_a_second_run_refuses_to_start(mug: Product) -> None:
    outcomes: list[Any] = []
    rebuild(
        at="products read",
        call=lambda: outcomes.extend(run_at_once([rebuild])),
    )
    assert [type(one).__name__ for one in outcomes] == ["AlreadyRunning"]


def test_goes_back_to_the_index_before_which_was_kept_up_to_date(mug: Product) -> None:
    first = rebuild().index
    rebuild()
    rename(mug, "Cup")
    drain()
    assert rebuilding.roll_back(now=timezone.now()) == first
    assert document(mug.pk)["name"] == "Cup"
    assert differences() == {"live": 0, "old": 0}


def test_an_index_is_kept_for_a_day_after_it_was_live(mug: Product) -> None:
    first = rebuild().index
    rebuild()
    assert rebuilding.prune(now=timezone.now()) == 0
    assert rebuilding.prune(now=timezone.now() + indexes.KEPT + timedelta(minutes=1)) == 1
    assert not patient().indices.exists(index=first.name)


def test_an_index_that_is_gone_is_no_reason_to_forget_a_change(mug: Product) -> None:
    name = rebuild().index.name
    drain()
    patient().indices.delete(index=name)
    rename(mug, "Cup")
    drain_batch()
    assert set(DirtyProduct.objects.values_list("pk", flat=True)) == {mug.pk}
    assert not patient().indices.exists(index=name)
    assert rebuilding.rebuild(clock=timezone.now, if_changed=True).is_new


def test_an_engine_that_is_away_keeps_the_marks_and_a_save_does_not_notice(
    mug: Product, settings: Any
) -> None:
    rebuild()
    up = settings.SEARCH_URL
    settings.SEARCH_URL = "http://127.0.0.1:9"
    rename(mug, "Cup")
    with pytest.raises(EngineAway):
        drain_batch()
    settings.SEARCH_URL = up
    DirtyProduct.objects.update(claimed_until=None)
    drain()
    assert document(mug.pk)["name"] == "Cup"


def test_what_was_spoilt_in_the_index_is_found_marked_and_mended(mug: Product) -> None:
    name = rebuild().index.name
    (entry,) = entries([mug.pk], gone={})
    wrong = {**entry.source, "name": "Spoilt"}
    pot, jug = Product.objects.exclude(pk=mug.pk)
    write([entry._replace(source=wrong)], indexes=[name])
    write([entry._replace(product_id=999, source={**entry.source, "id": 999})], indexes=[name])
    write([entry._replace(product_id=pot.pk, version=900, source=entry.source)], indexes=[name])
    patient().delete(index=name, id=str(jug.pk))
    found = comparing.compare(name, with_content=True)
    assert set(found.wrong) == {mug.pk, pot.pk, jug.pk}
    assert set(found.too_many) == {999}
    comparing.mark(found)
    drain()
    assert differences() == {"live": 0}
