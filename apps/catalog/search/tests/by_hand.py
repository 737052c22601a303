"""A shop of chance, and what is found in it, counted row by row in Python."""

import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import connection

from apps.catalog import inventory
from apps.catalog.models import Category, Product, Variant
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.wanted import Found, Wanted
from tests.builders import NOON

Row = dict[str, Any]

COLOURS = ["Red", "Blue", "Green", "Teal", "Grey"]
_SIZES = ["S", "M", "L"]
_AMOUNTS = ["5.00", "7.50", "10.00", "20.00"]
# Each with those that it is inside of.
_CATEGORIES = {
    "Kitchen": ["kitchen"],
    "Cups": ["kitchen", "cups"],
    "Garden": ["garden"],
    "Cellar": ["cellar"],
}
_PRICES = [(None, None), (Decimal(7), None), (None, Decimal(10)), (Decimal(6), Decimal(15))]


def some_shop(chance: random.Random) -> list[Row]:
    """120 products, and what they were made from."""
    kitchen = Category.objects.create(slug="kitchen", name="Kitchen")
    Category.objects.create(slug="cups", name="Cups", parent=kitchen)
    rows = [_some_product(chance, number) for number in range(120)]
    with connection.cursor() as cursor:
        # What PostgreSQL believes of earlier tests' rows makes minutes of seconds.
        cursor.execute("ANALYZE")
    return rows


def _some_product(chance: random.Random, number: int) -> Row:
    """Every other one has a second variant, which may be one that nobody can buy."""
    fields: Row = {
        "name": chance.choice(["Mug", "Pan", "Mug and pan"]),
        "brand": chance.choice(["", "Larch", "Hardwick", "Birch"]),
        "category": chance.choice(list(_CATEGORIES)),
        "price": chance.choice(_AMOUNTS),
        "units": chance.choice([0, 1]),
        "attributes": {
            "Colour": chance.sample(COLOURS, chance.randint(1, 2)),
            "Size": chance.sample(_SIZES, 1),
        },
    }
    product = make_goods(slug=f"product-{number}", sku=f"SKU-{number}", **fields)
    prices, units = [Decimal(fields["price"])], fields["units"]
    if number % 2:
        price, is_active = Decimal(chance.choice(_AMOUNTS)), chance.choice([True, True, False])
        other = Variant.objects.create(
            product=product, sku=f"OTHER-{number}", price=price, is_active=is_active
        )
        if chance.choice([True, False]):
            inventory.receive({other.pk: 1}, reference=f"other-{number}", now=NOON)
            units += is_active
        prices += [price] if is_active else []
    path = _CATEGORIES[fields["category"]]
    return {**fields, "categories": path, "prices": prices, "units": units}


def make_tops() -> dict[str, str]:
    """Shelves, some of one name; what to call each, by its slug."""
    shelves: dict[str, Category] = {}
    for slug, name, parent in [
        ("men", "Men", None),
        ("women", "Women", None),
        ("sports", "Sports", "women"),
        ("outdoor", "Outdoor", "men"),
        ("outdoor-women", "Outdoor", "women"),
        ("men-tops", "Tops", "men"),
        ("women-tops", "Tops", "women"),
        ("sports-tops", "Tops", "sports"),
        ("outdoor-tops", "Tops", "outdoor"),
        ("outdoor-women-tops", "Tops", "outdoor-women"),
        ("tops", "Tops", None),
    ]:
        shelf = Category(slug=slug, name=name, parent=shelves[parent] if parent else None)
        shelf.save()
        shelves[slug] = shelf
        product = make_goods(f"Shirt of {slug}", slug=slug, category="Kitchen")
        Product.objects.filter(pk=product.pk).update(category=shelf)
    return {
        "men": "Men",
        "women": "Women",
        "sports": "Sports",
        "outdoor": "Men > Outdoor",
        "outdoor-women": "Women > Outdoor",
        "men-tops": "Men > Tops",
        "women-tops": "Women > Tops",
        "sports-tops": "Sports > Tops",
        "outdoor-tops": "Men > Outdoor > Tops",
        "outdoor-women-tops": "Women > Outdoor > Tops",
        "tops": "Tops",
    }


def make_drives() -> list[str]:
    """Ten products; and the names of their attributes, of which most have a value first."""
    for number in range(10):
        attributes = {"USB version": [f"{2 + number % 2}.0"]}
        if number < 8:
            attributes["Capacity"] = [f"{number % 3} GB"]
        if number < 6:
            attributes["Works with"] = COLOURS
        if number < 3:
            attributes["Languages"] = [f"{n}" for n in range(30)]
        make_goods(f"Drive {number}", attributes=attributes)
    return ["USB version", "Capacity", "Works with", "Languages"]


def some_selection(chance: random.Random) -> Wanted:
    """Words and selections, few or many."""

    def some(values: list[str], most: int = 2) -> tuple[str, ...]:
        return tuple(chance.sample(values, chance.choice([0, 0, 1, most])))

    attributes = {"Colour": some(COLOURS), "Size": some(_SIZES)}
    low, high = chance.choice(_PRICES)
    return Wanted(
        q=chance.choice(["", "mug", "pan", "mug pan"]),
        brands=some(["larch", "hardwick", "birch"]),
        categories=some(["kitchen", "cups", "garden", "cellar"]),
        attributes={name: values for name, values in attributes.items() if values},
        price_min=low,
        price_max=high,
        in_stock=chance.choice([None, None, True, False]),
    )


def assert_equals_rows(wanted: Wanted, found: Found, shop: list[Row]) -> None:
    """Total and facets are what the rows say."""
    tests = _conditions(wanted)

    def left(own: str = "") -> list[Row]:
        return [row for row in shop if all(t(row) for name, t in tests.items() if name != own)]

    assert found.total == len(left()), wanted
    shown = {each.name: {one.value: one.count for one in each.values} for each in found.facets}
    brands = Counter(row["brand"].lower() for row in left("brand") if row["brand"])
    assert shown["brand"] == dict.fromkeys(wanted.brands, 0) | brands
    categories = Counter(slug for row in left("category") for slug in row["categories"])
    assert shown["category"] == dict.fromkeys(wanted.categories, 0) | categories
    in_stock = [bool(row["units"]) for row in left("in_stock")]
    assert shown["in_stock"] == {"true": sum(in_stock), "false": len(in_stock) - sum(in_stock)}
    prices = [price for row in left("price") for price in row["prices"]]
    (price,) = (each for each in found.facets if each.name == "price")
    ends = (min(prices, default=None), max(prices, default=None))
    assert (price.lowest, price.highest) == ends, wanted
    for name in {"Colour", "Size"} & shown.keys():
        values = Counter(value for row in left(name) for value in row["attributes"][name])
        assert shown[name] == dict.fromkeys(wanted.attributes.get(name, ()), 0) | values
    assert set(wanted.attributes) <= shown.keys()


def _conditions(wanted: Wanted) -> dict[str, Callable[[Row], bool]]:
    low, high = wanted.price_min, wanted.price_max
    return {
        "q": lambda row: all(word in row["name"].lower() for word in wanted.q.split()),
        "brand": lambda row: not wanted.brands or row["brand"].lower() in wanted.brands,
        "category": lambda row: (
            not wanted.categories or not set(wanted.categories).isdisjoint(row["categories"])
        ),
        "in_stock": lambda row: wanted.in_stock in (None, bool(row["units"])),
        "price": lambda row: any(
            (low is None or price >= low) and (high is None or price <= high)
            for price in row["prices"]
        ),
        **{name: _has(name, values) for name, values in wanted.attributes.items()},
    }


def _has(name: str, values: tuple[str, ...]) -> Callable[[Row], bool]:
    return lambda row: not set(values).isdisjoint(row["attributes"][name])
