"""What the engine keeps of a product."""

import pytest
from elasticsearch import BadRequestError

from apps.catalog.models import Product
from apps.catalog.search.engine.client import client
from apps.catalog.search.engine.document import ALIAS, ProductDocument, entries
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from tests.statements import counted

pytestmark = pytest.mark.django_db


def test_has_exactly_the_fields_of_the_mapping() -> None:
    product = make_goods("Mug", brand="Hardwick", attributes={"Colour": ["Red"]})
    (entry,) = entries([product.pk], gone={})
    mapped = ProductDocument._index.to_dict()["mappings"]["properties"]
    assert set(entry.source) == set(mapped)
    assert None not in entry.source.values()


def test_a_field_that_is_not_in_the_mapping_is_refused(index: Index) -> None:
    with pytest.raises(BadRequestError):
        client().index(index=f"{ALIAS}-test", id="1", document={"colour": "Red"})


def test_attributes_of_another_shape_do_not_break_it() -> None:
    odd = {"Size": 5, "Colour": "Red", "Weight": [5, "1 kg", "1 kg", ""], "": ["x"]}
    product = make_goods("Mug", attributes=odd)
    (entry,) = entries([product.pk], gone={})
    assert entry.source["what_it_is"] == ["x"]
    assert entry.source["others"] == ["1 kg", "1 kg"]
    assert entry.source["selections"] == ["Weight:", "Weight:1 kg", "Weight:5"]


def test_what_is_not_on_sale_leaves_a_tombstone_with_its_version() -> None:
    product = make_goods("Mug")
    Product.objects.filter(pk=product.pk).update(is_published=False)
    product.refresh_from_db()
    (entry,) = entries([product.pk], gone={})
    assert entry.version == product.search_version
    assert entry.source["deleted"]
    assert "name" not in entry.source


def test_takes_as_many_statements_for_one_product_as_for_twenty() -> None:
    ids = [make_goods(f"Mug {number}", brand="Hardwick").pk for number in range(20)]
    with counted() as one:
        entries(ids[:1], gone={})
    with counted() as twenty:
        entries(ids, gone={})
    assert len(one) == len(twenty) == 3
