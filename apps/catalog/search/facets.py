"""The facets of a search, from what was counted: the same rule for both engines.

The selections of an attribute, and what is counted beside them, go by `of_attribute(name)`.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from apps.catalog.search.tree import labelled_apart
from apps.catalog.search.wanted import Facet, FacetValue

MOST_VALUES = 50  # of brand and category
MOST_ATTRIBUTES = 8
MOST_ATTRIBUTE_VALUES = 20
_FEW = 200  # products
_SHARE = 500  # of more than these, the one in so many that must have a value
LONGEST = 40  # characters of a name or value; what is longer is no facet

Counted = tuple[str, str, int]  # value, label, products


@dataclass(kw_only=True)
class Attribute:
    """How many products have it at all, and how many which value."""

    products: int = 0
    values: dict[str, int] = field(default_factory=dict)


def of_attribute(name: str) -> str:
    """An attribute may be called brand."""
    return f"attribute {name}"


def brands(counted: Iterable[Counted], *, selected: Collection[str]) -> Facet:
    values = _values(counted, selected=selected, most=MOST_VALUES)
    return Facet(name="brand", type="terms", values=values)


def categories(counted: Iterable[Counted], *, selected: Collection[str]) -> Facet:
    values = _values(counted, selected=selected, most=MOST_VALUES)
    return Facet(name="category", type="terms", values=labelled_apart(values))


def prices(lowest: Decimal | None, highest: Decimal | None) -> Facet:
    return Facet(name="price", type="range", lowest=lowest, highest=highest)


def attributes(
    counted: Mapping[str, Attribute], *, selected: Mapping[str, Sequence[str]]
) -> list[Facet]:
    """Those that are shown. What is `counted` has values from the `least_count` on, and those
    that are selected."""
    return [
        Facet(
            name=name,
            type="attribute",
            values=_values(
                ((value, value, count) for value, count in counted[name].values.items()),
                selected=selected.get(name, ()),
                most=MOST_ATTRIBUTE_VALUES,
            ),
        )
        for name in _to_show(counted, selected=list(selected))
    ]


def _values(
    counted: Iterable[Counted], *, selected: Collection[str], most: int
) -> list[FacetValue]:
    """The most frequent values, and each that is selected, the most frequent ones first."""
    ordered = sorted(counted, key=lambda one: (-one[2], one[0]))
    return [
        FacetValue(value=value, label=label, count=count, selected=value in selected)
        for place, (value, label, count) in enumerate(ordered)
        if place < most or value in selected
    ]


def least_count(found: int) -> int:
    """How many must have an attribute's value for it to be shown: one of hundreds is none."""
    return 1 if found <= _FEW else max(2, found // _SHARE)


def stock(in_stock: int, sold_out: int, *, selected: bool | None) -> Facet:
    """Both values, also one that no product has."""
    values = [
        FacetValue(value=value, label=label, count=count, selected=selected is is_in_stock)
        for value, label, is_in_stock, count in (
            ("true", "In stock", True, in_stock),
            ("false", "Sold out", False, sold_out),
        )
    ]
    return Facet(name="in_stock", type="bool", values=values)


def attributes_of(counted: Iterable[tuple[str, int]]) -> dict[str, Attribute]:
    """The attributes by name, from how many have “Colour:Red”, and how many “Colour:”."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for text, products in counted:
        name, _, value = text.partition(":")
        found[name][value] = products
    return {
        name: Attribute(products=values.pop("", 0), values=values)
        for name, values in found.items()
    }


def _to_show(counted: Mapping[str, Attribute], *, selected: Sequence[str]) -> list[str]:
    """Names of attributes: the selected ones, and then those that tell most products apart.

    A name with one value tells nothing apart; of the others, the one that most products have a
    value of that is shown is the first.
    """
    told = {
        name: _told_apart(attribute)
        for name, attribute in counted.items()
        if len(attribute.values) > 1
    }
    others = sorted(told, key=lambda name: (-told[name], name))
    return list(dict.fromkeys([*selected, *others]))[: max(MOST_ATTRIBUTES, len(selected))]


def _told_apart(attribute: Attribute) -> int:
    """At most so many products: one with several values stands behind each of them."""
    shown = heapq.nlargest(MOST_ATTRIBUTE_VALUES, attribute.values.values())
    return min(attribute.products, sum(shown))
