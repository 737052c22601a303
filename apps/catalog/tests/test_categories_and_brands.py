"""The tree of categories and the brands, with how much there is of each."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.catalog.models import Brand, Category, Product
from tests.builders import make_variant
from tests.clients import guest
from tests.concurrently import run_at_once
from tests.statements import counted

pytestmark = pytest.mark.django_db


def get(path: str) -> Any:
    answer = guest().get(f"/api/catalog/{path}/")
    assert answer.status_code == 200, answer.content
    return answer.json()


def put_on(category: Category, *skus: str, **fields: Any) -> None:
    for sku in skus:
        product = make_variant(sku).product
        Product.objects.filter(pk=product.pk).update(category=category, **fields)


def test_a_category_counts_what_is_inside_and_lists_siblings_by_name() -> None:
    kitchen = Category.objects.create(name="Kitchen", slug="kitchen")
    pans = Category.objects.create(name="Pans", slug="pans", parent=kitchen)
    mugs = Category.objects.create(name="Mugs", slug="mugs", parent=kitchen)
    tiny = Category.objects.create(name="Tiny mugs", slug="tiny-mugs", parent=mugs)
    garden = Category.objects.create(name="Garden", slug="garden")
    put_on(mugs, "A", "B")
    put_on(tiny, "C")
    put_on(tiny, "HIDDEN", is_published=False)
    put_on(kitchen, "D")

    def entry(category: Category, count: int, *children: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": category.pk,
            "slug": category.slug,
            "name": category.name,
            "product_count": count,
            "children": list(children),
        }

    assert get("categories") == [
        entry(garden, 0),
        entry(kitchen, 4, entry(mugs, 3, entry(tiny, 1)), entry(pans, 0)),
    ]


def test_the_whole_tree_takes_two_statements() -> None:
    parent = None
    for n in range(20):
        parent = Category.objects.create(name=f"Level {n}", slug=f"level-{n}", parent=parent)
        Category.objects.create(name=f"Side {n}", slug=f"side-{n}", parent=parent)
    with counted() as statements:
        get("categories")
    assert len(statements) == 2, statements


def test_brands_come_by_name_with_what_is_on_sale() -> None:
    zinc = Brand.objects.create(name="Zinc", slug="zinc")
    acme = Brand.objects.create(name="Acme", slug="acme")
    kitchen = Category.objects.create(name="Kitchen", slug="kitchen")
    put_on(kitchen, "A", "B", brand=zinc)
    put_on(kitchen, "HIDDEN", brand=zinc, is_published=False)
    with counted() as statements:
        brands = get("brands")
    assert brands == [
        {"id": acme.pk, "slug": "acme", "name": "Acme", "product_count": 0},
        {"id": zinc.pk, "slug": "zinc", "name": "Zinc", "product_count": 2},
    ]
    assert len(statements) == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_cannot_put_two_categories_inside_each_other() -> None:
    one, two = (Category.objects.create(name=name, slug=name) for name in ("one", "two"))
    moves = [
        lambda: Category.objects.filter(pk=one.pk).update(parent=two),
        lambda: Category.objects.filter(pk=two.pk).update(parent=one),
    ]
    first, second = run_at_once(moves)
    assert isinstance(first, IntegrityError) != isinstance(second, IntegrityError)
    assert Category.objects.filter(parent=None).count() == 1


def test_a_category_cannot_be_put_inside_itself_by_sql() -> None:
    one = Category.objects.create(name="one", slug="one")
    with pytest.raises(IntegrityError, match="would be inside itself"), transaction.atomic():
        Category.objects.filter(pk=one.pk).update(parent=one)
