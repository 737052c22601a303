"""A variant and its product as the texts of a row."""

from collections.abc import Callable, Mapping
from typing import Any

from apps.catalog.attributes import as_text
from apps.catalog.models import Category, Product, Variant

Path = tuple[str, ...]
Paths = Mapping[int, Path]


def paths_of_categories() -> dict[int, Path]:
    """By the category's id, the names from the outermost to its own."""
    paths: dict[int, Path] = {}
    # With the tree fields each category comes after the one that it stands in.
    for category in Category.objects.with_tree_fields():
        outside = paths[category.parent_id] if category.parent_id is not None else ()
        paths[category.pk] = (*outside, category.name)
    return paths


def said_of_product(product: Product, paths: Paths) -> dict[str, Any]:
    """What the columns of values.OF_PRODUCT hold, as values."""
    return {
        "name": product.name,
        "brand": product.brand.name if product.brand else "",
        "category": paths[product.category_id],
        "description": product.description.replace("\r\n", "\n"),
        "attributes": product.attributes,
        "published": product.is_published,
    }


def said_of_variant(variant: Variant) -> dict[str, Any]:
    """What the columns of values.OF_VARIANT hold, as values."""
    return {"variant": variant.name, "price": variant.price, "active": variant.is_active}


def text_of(column: str, value: Any) -> str:
    """The value as the column's cell says it."""
    return _TEXTS.get(column, str)(value)


def row_of(variant: Variant, paths: Paths) -> dict[str, str]:
    """Every column of an export; the variant comes with product, brand and stock."""
    product = variant.product
    values = {**said_of_product(product, paths), **said_of_variant(variant)}
    stock = getattr(variant, "stock", None)
    return {
        "sku": variant.sku,
        "product": product.slug,
        **{column: text_of(column, value) for column, value in values.items()},
        "on_hand": str(stock.on_hand if stock else 0),
        "available": str(stock.available if stock else 0),
    }


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


_TEXTS: dict[str, Callable[[Any], str]] = {
    "category": " > ".join,
    "attributes": as_text,
    "published": _yes_or_no,
    "active": _yes_or_no,
    "price": "{:.2f}".format,
}
