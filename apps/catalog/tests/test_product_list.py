"""The list of products: what is on sale, in few statements however much that is."""

from typing import Any

import pytest

from apps.catalog.models import Brand, Category, Product
from tests.builders import make_variant
from tests.clients import guest
from tests.statements import counted

pytestmark = pytest.mark.django_db

URL = "/api/catalog/products/"


def listed(**params: Any) -> list[dict[str, Any]]:
    answer = guest().get(URL, params)
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def fill_shelves(*, products: int, variants: int) -> None:
    brand = Brand.objects.create(name="Hardwick", slug="hardwick")
    category = Category.objects.create(name="Kitchen", slug="kitchen")
    for n in range(products):
        product = Product.objects.create(
            name=f"Mug {n}", slug=f"mug-{n}", category=category, brand=brand
        )
        for v in range(variants):
            make_variant(f"MUG-{n}-{v}", product=product)


def test_shows_what_a_shopper_needs_to_choose() -> None:
    red = make_variant("MUG", on_hand=3, price="9.50")
    product = red.product
    product.brand = Brand.objects.create(name="Hardwick", slug="hardwick")
    product.save()
    blue = make_variant("MUG-BLUE", price="8.00", product=product)
    assert listed() == [
        {
            "id": product.pk,
            "slug": "mug",
            "name": "Mug",
            "brand": {"id": product.brand.pk, "slug": "hardwick", "name": "Hardwick"},
            "category": {"id": product.category_id, "slug": "kitchen", "name": "Kitchen"},
            "price_from": "8.00",
            "in_stock": True,
            "variants": [
                {"id": blue.pk, "sku": "MUG-BLUE", "name": "", "price": "8.00", "available": 0},
                {"id": red.pk, "sku": "MUG", "name": "", "price": "9.50", "available": 3},
            ],
        }
    ]


def test_does_not_show_what_is_not_published_or_has_nothing_to_buy() -> None:
    hidden, retired = make_variant("HIDDEN"), make_variant("RETIRED")
    Product.objects.filter(pk=hidden.product_id).update(is_published=False)
    retired.is_active = False
    retired.save()
    category = Category.objects.get()
    Product.objects.create(name="Empty", slug="empty", category=category)
    make_variant("MUG")
    assert [product["slug"] for product in listed()] == ["mug"]


def test_a_variant_that_is_not_active_counts_for_nothing() -> None:
    mug = make_variant("MUG", price="9.50")
    old = make_variant("OLD", price="1.00", on_hand=5, product=mug.product)
    old.is_active = False
    old.save()
    (product,) = listed()
    assert [variant["sku"] for variant in product["variants"]] == ["MUG"]
    assert (product["price_from"], product["in_stock"]) == ("9.50", False)


@pytest.mark.parametrize("variants", [1, 30])
def test_takes_four_statements_however_many_variants_there_are(variants: int) -> None:
    fill_shelves(products=24, variants=variants)
    with counted() as statements:
        products = listed(
            category="kitchen", brand="hardwick", price_min="1", in_stock="false", order="price"
        )
    assert sum(len(product["variants"]) for product in products) == 24 * variants
    assert len(statements) <= 4, statements


def test_takes_two_statements_when_nothing_is_asked_for() -> None:
    fill_shelves(products=3, variants=2)
    with counted() as statements:
        listed()
    assert len(statements) == 2, statements


def test_a_token_that_has_expired_does_not_close_the_catalogue() -> None:
    make_variant()
    client = guest()
    client.credentials(HTTP_AUTHORIZATION="Bearer expired.or.garbage")
    assert client.get(URL).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_can_write(method: str) -> None:
    assert getattr(guest(), method)(URL).status_code == 405
