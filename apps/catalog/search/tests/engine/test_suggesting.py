"""What the engine brings for the first letters of a word: the same as PostgreSQL."""

import pytest

from apps.catalog.search import engine, postgres
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.vocabulary import refresh_vocabulary

pytestmark = pytest.mark.django_db

_LONG = "Donaudampfschifffahrtskapitän"


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("m", ["Mug", "Milk jug DIR-655"]),
        ("milk j", ["Milk jug DIR-655"]),
        ("dir-6", ["Milk jug DIR-655"]),
        ("hardw", ["Mug", "Milk jug DIR-655", _LONG]),
        ("hardwick milk", ["Milk jug DIR-655"]),
        ("sku1399-1", ["Milk jug DIR-655"]),
        (_LONG[:15], [_LONG]),
        (_LONG[:16], [_LONG]),
        (_LONG, [_LONG]),
        (f"{_LONG[:16]}x", []),
        (f"{_LONG}s mug", []),
    ],
)
def test_finds_by_one_letter_or_by_many(index: Index, typed: str, names: list[str]) -> None:
    made = {
        make_goods(
            name, slug=f"goods-{n}", brand="Hardwick", sku=f"SKU1399-{n}", popularity=1 - n / 10
        ).pk: name
        for n, name in enumerate(["Mug", "Milk jug DIR-655", _LONG])
    }
    refresh_vocabulary()
    index.fill()
    found, instead = (each.suggest(typed, limit=5) for each in (engine, postgres))
    assert [made[pk] for pk in found.product_ids] == names
    assert sorted(found.product_ids) == sorted(instead.product_ids)
    assert found.queries == instead.queries
