"""Fills the shop with the demo's goods, in a handful of statements."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.utils.text import slugify

from apps.catalog import inventory
from apps.catalog.demo.goods import DemoProduct, Shelf, shelves
from apps.catalog.models import Brand, Category, Product, Variant

# The ledger knows the delivery by it: receiving the same goods again books nothing.
RECEIPT = "demo-stock"

Row = TypeVar("Row", Category, Brand, Product)


@transaction.atomic
def fill_shelves(*, now: datetime) -> int:
    """Make what is missing and book its stock; returns how many variants were missing.

    What is there stays as it is, edited or not: slugs and SKUs tell.
    """
    all_shelves = list(shelves())
    categories = _categories(all_shelves)
    brands = _brands(all_shelves)
    products = _ensure(
        Product,
        [
            Product(
                name=product.name,
                slug=slugify(product.name),
                description=product.description,
                category=categories[slugify(shelf.name)],
                brand=brands[slugify(product.brand)],
            )
            for shelf in all_shelves
            for product in shelf.products
        ],
    )
    return _stock(
        [product for shelf in all_shelves for product in shelf.products], products, now=now
    )


def _categories(all_shelves: Sequence[Shelf]) -> dict[str, Category]:
    names = dict.fromkeys(shelf.inside for shelf in all_shelves)
    parents = _ensure(Category, [Category(name=name, slug=slugify(name)) for name in names])
    children = [
        Category(
            name=shelf.name, slug=slugify(shelf.name), parent=parents[slugify(shelf.inside)]
        )
        for shelf in all_shelves
    ]
    return _ensure(Category, children)


def _brands(all_shelves: Sequence[Shelf]) -> dict[str, Brand]:
    names = dict.fromkeys(product.brand for shelf in all_shelves for product in shelf.products)
    return _ensure(Brand, [Brand(name=name, slug=slugify(name)) for name in names])


def _ensure(model: type[Row], wanted: Sequence[Row]) -> dict[str, Row]:
    """The rows by slug: those that are there, and the missing ones, made in this order."""
    found = model.objects.in_bulk([row.slug for row in wanted], field_name="slug")
    made = model.objects.bulk_create([row for row in wanted if row.slug not in found])
    rows: dict[str, Row] = {**found, **{row.slug: row for row in made}}
    return rows


def _stock(goods: Sequence[DemoProduct], products: dict[str, Product], *, now: datetime) -> int:
    on_hand = {
        variant.sku: variant.on_hand for product in goods for variant in product.variants
    }
    found = set(Variant.objects.filter(sku__in=on_hand).values_list("sku", flat=True))
    made = Variant.objects.bulk_create(
        [
            Variant(
                product=products[slugify(product.name)],
                sku=variant.sku,
                name=variant.name,
                price=variant.price,
            )
            for product in goods
            for variant in product.variants
            if variant.sku not in found
        ]
    )
    arrived = {variant.pk: on_hand[variant.sku] for variant in made if on_hand[variant.sku]}
    inventory.receive(arrived, reference=RECEIPT, now=now)
    return len(made)
