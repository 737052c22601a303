"""The alias says what is searched: one index. The rows follow, whatever became of them."""

import pytest
from django.utils import timezone

from apps.catalog.models import Product
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.indexing import rebuilding
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
