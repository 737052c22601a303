"""The alias says what is searched: one index. The rows follow, whatever became of them."""

import pytest
from django.utils import timezone

from apps.catalog.models import Product
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.indexing import indexes, rebuilding
from apps.catalog.search.indexing.draining import drain_batch
from apps.catalog.search.indexing.writing import patient
from apps.catalog.search.models import SearchIndex
from tests.builders import make_variant

pytestmark = pytest.mark.django_db(transaction=True)


def rebuild() -> SearchIndex:
    return rebuilding.rebuild(clock=timezone.now).index


def searched() -> list[str]:
    return list(patient().indices.get_alias(name=ALIAS))


def states() -> dict[str, str]:
    return dict(SearchIndex.objects.values_list("name", "state"))


@pytest.fixture
def mug(engine: str) -> Product:
    return make_variant("MUG", on_hand=1).product


def test_of_two_indexes_that_are_searched_the_live_one_remains(mug: Product) -> None:
    rebuild()
    live, old = rebuild(), SearchIndex.objects.get(state="old")
    patient().indices.put_alias(index=old.name, name=ALIAS)
    rebuilding.prune(now=timezone.now())
    assert searched() == [live.name]
    assert states() == {old.name: "old", live.name: "live"}
    assert rebuilding.roll_back(now=timezone.now()) == old
    patient().indices.put_alias(index=live.name, name=ALIAS)
    rebuilding.prune(now=timezone.now())
    assert searched() == [old.name]


def test_of_two_indexes_that_are_searched_and_not_live_the_newest_remains(mug: Product) -> None:
    first, second = rebuild(), rebuild()
    patient().indices.put_alias(index=first.name, name=ALIAS)
    SearchIndex.objects.filter(pk=second.pk).update(state="old")
    rebuilding.prune(now=timezone.now())
    assert searched() == [second.name]
    assert states() == {first.name: "old", second.name: "live"}


def test_a_searched_index_without_a_row_is_written_and_made_anew(mug: Product) -> None:
    lost = rebuild().name
    SearchIndex.objects.all().delete()  # a backup of the database knew none
    rebuilding.prune(now=timezone.now())
    assert states() == {lost: "live"}
    Product.objects.filter(pk=mug.pk).update(name="Cup")
    while drain_batch():
        pass
    assert patient().get(index=ALIAS, id=str(mug.pk))["_source"]["name"] == "Cup"
    rebuilt = rebuilding.rebuild(clock=timezone.now, if_changed=True)
    assert rebuilt.is_new  # of its mapping nothing is known
    rebuilding.prune(now=timezone.now() + indexes.KEPT)
    assert states() == {lost: "dropped", rebuilt.index.name: "live"}
    assert not patient().indices.exists(index=lost)


def test_an_index_that_nobody_knows_is_left_alone(mug: Product) -> None:
    theirs = rebuild().name
    SearchIndex.objects.all().delete()
    patient().indices.delete_alias(index=theirs, name=ALIAS)
    rebuild()
    rebuilding.prune(now=timezone.now() + indexes.KEPT)
    assert patient().indices.exists(index=theirs)
