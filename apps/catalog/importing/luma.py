"""A line of a Luma catalogue: a product on its own, or one to configure with its variants."""

import re
from collections.abc import Iterator
from typing import Any

from apps.catalog.importing import offers
from apps.catalog.importing.offers import OfferedProduct, OfferedVariant
from apps.catalog.plain_text import cut
from apps.catalog.skus import checked_sku
from shop.batches import batched
from shop.json_lines import Broken, short

FIELDS = ("sku", "type", "name", "attributes", "variants")

_TYPES = ("configurable", "simple", "downloadable")
_NAME_LENGTH = 100  # of a variant
# How the other shop sells it, not what it is like.
_NOT_OF_THE_PRODUCT = frozenset(
    {"attribute_set", "visibility", "url_key", "special_price", "new", "sale"}
)
# The same of trousers, of bags and of everything else.
_KIND = re.compile("_(general|bottom|bags)$")


def product(record: dict[str, Any]) -> OfferedProduct:
    """What the line offers; raises Broken."""
    kind = record["type"]
    if kind not in _TYPES:
        raise Broken(
            f"a {kind} product: the shop sells no sets"
            if isinstance(kind, str) and kind.isascii() and kind.isprintable()
            else f"unknown type {short(kind)}"
        )
    name, description, is_cut = offers.name_and_description(
        record["name"], record.get("description")
    )
    category, *others = _shelves(record.get("categories"))
    options, variants = _configured(record) if kind == "configurable" else ({}, _single(record))
    pairs = [*_attributes(record["attributes"]), *options.items()]
    return OfferedProduct(
        sku=checked_sku(record["sku"]),
        name=name,
        description=description,
        name_is_cut=is_cut,
        brand="",
        category=category,
        attributes=offers.attributes([*pairs, *((path[0], path[1:]) for path in others)]),
        variants=variants,
    )


def _shelves(value: Any) -> list[tuple[str, ...]]:
    """The paths that the line names: the first is the product's, others are attributes.

    Either each text is a path, or each is a level, two to a path.
    """
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(one, str) for one in value)
    ):
        raise Broken("without a category")
    if any(" > " in one for one in value):
        return [offers.shelf(one.split(" > ")) for one in value]
    return [offers.shelf(levels) for levels in batched(value, size=2)]


def _single(record: dict[str, Any]) -> tuple[OfferedVariant, ...]:
    return (
        OfferedVariant(
            sku=checked_sku(record["sku"]),
            price=offers.amount(record.get("price"), field="price"),
            units=offers.units(record.get("qty")),
        ),
    )


def _configured(
    record: dict[str, Any],
) -> tuple[dict[str, list[str]], tuple[OfferedVariant, ...]]:
    """What can be chosen, by the option's name, and the variants, named by what was chosen."""
    lines = record["variants"]
    if not isinstance(lines, list) or not lines:
        raise Broken("variants are not a list of at least one")
    options: dict[str, list[str]] = {}
    variants = []
    for line in lines:
        if not isinstance(line, dict):
            raise Broken("a variant is not an object")
        chosen = _chosen(line.get("options"))
        for name, value in chosen.items():
            options.setdefault(name, []).append(value)
        variants.append(
            OfferedVariant(
                sku=checked_sku(line.get("sku")),
                name=cut(", ".join(chosen.values()), length=_NAME_LENGTH),
                price=offers.amount(line.get("price"), field="price"),
                units=offers.units(line.get("qty")),
            )
        )
    return options, tuple(variants)


def _chosen(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        raise Broken("a variant without options")
    return {
        _readable(name): offers.text(choice, field=f"option {name}")
        for name, choice in value.items()
    }


def _attributes(value: Any) -> Iterator[tuple[str, list[str]]]:
    if not isinstance(value, dict):
        raise Broken("attributes are not an object")
    for key, content in value.items():
        values = re.split(r"[|\n]", content) if isinstance(content, str) else content
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            raise Broken(f"attribute {short(key)} is neither text nor a list of texts")
        if key not in _NOT_OF_THE_PRODUCT:
            yield _readable(key), values


def _readable(key: str) -> str:
    name = " ".join(_KIND.sub("", key).split("_"))
    return name[:1].upper() + name[1:]
