"""The demo's data as they are written: one TOML file a category."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils.text import slugify

# In the order of the shop's menu; the first product of the first one gets the id 1.
_FILES = ("coffee_and_tea", "cooking", "textiles", "light", "clothing", "bags_and_camp")


@dataclass(frozen=True, kw_only=True)
class DemoVariant:
    sku: str
    name: str
    price: Decimal
    on_hand: int


@dataclass(frozen=True, kw_only=True)
class DemoProduct:
    name: str
    brand: str
    description: str
    variants: tuple[DemoVariant, ...]


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A category inside another one, and its products."""

    name: str
    inside: str
    products: tuple[DemoProduct, ...]


def shelves() -> Iterator[Shelf]:
    """Every shelf, read from its file."""
    for name in _FILES:
        data = tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text("utf-8"))
        yield Shelf(
            name=data["name"],
            inside=data["inside"],
            products=tuple(_product(product) for product in data["products"]),
        )


def _product(data: dict[str, Any]) -> DemoProduct:
    """`stock` names the variants; `prices` only those that do not cost `price`."""
    prices = data.get("prices", {})
    return DemoProduct(
        name=data["name"],
        brand=data["brand"],
        description=data["description"],
        variants=tuple(
            DemoVariant(
                sku="-".join(filter(None, (data["sku"], slugify(name).upper()))),
                name=name,
                price=Decimal(prices.get(name, data["price"])),
                on_hand=on_hand,
            )
            for name, on_hand in data["stock"].items()
        ),
    )
