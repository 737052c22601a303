"""Which facets a search shows, and which of their values: the same rule for both engines."""

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence

from apps.catalog.search.wanted import FacetValue

MOST_VALUES = 50  # of brand and category
MOST_ATTRIBUTES = 8
MOST_ATTRIBUTE_VALUES = 20
_FEW = 200  # products
_SHARE = 500  # of more than these, the one in so many that must have a value
LONGEST = 40  # characters of a name or value; what is longer is no facet

Counted = tuple[str, str, int]  # value, label, products


def values_of(
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


def stock(in_stock: int, sold_out: int, *, selected: bool | None) -> list[FacetValue]:
    """Both values, also one that no product has."""
    return [
        FacetValue(value=value, label=label, count=count, selected=selected is is_in_stock)
        for value, label, is_in_stock, count in (
            ("true", "In stock", True, in_stock),
            ("false", "Sold out", False, sold_out),
        )
    ]


def attributes_to_show(
    counted: Mapping[str, Mapping[str, int]], *, selected: Sequence[str]
) -> list[str]:
    """Names of attributes: the selected ones, and then those that tell most products apart.

    `counted` says how many have which value, by name, from the `least_count` on. A name with
    one value tells nothing apart; of the others, the one whose MOST_ATTRIBUTE_VALUES most
    frequent values stand for most products is the first.
    """
    covered = {
        name: sum(heapq.nlargest(MOST_ATTRIBUTE_VALUES, values.values()))
        for name, values in counted.items()
        if len(values) > 1
    }
    others = sorted(covered, key=lambda name: (-covered[name], name))
    return list(dict.fromkeys([*selected, *others]))[: max(MOST_ATTRIBUTES, len(selected))]
