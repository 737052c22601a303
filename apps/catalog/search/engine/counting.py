"""The facets, from what the engine has counted."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from apps.catalog.search import facets
from apps.catalog.search.engine.document import MINOR_UNITS
from apps.catalog.search.engine.selecting import counted_as
from apps.catalog.search.postgres.database import rows
from apps.catalog.search.wanted import Facet, Wanted

Counted = Mapping[str, Any]
_Labels = Mapping[str, str]
_NAMES = """
    SELECT 'brand', slug, name FROM catalog_brand WHERE slug = ANY(%(brands)s)
    UNION ALL
    SELECT 'category', slug, name FROM catalog_category WHERE slug = ANY(%(categories)s)
"""


def facets_of(wanted: Wanted, counted: Counted) -> list[Facet]:
    """All facets; how brands and categories are called is read from PostgreSQL."""
    brands, categories = _counts(counted["brand"]), _counts(counted["category"])
    called = _called(brands, categories)
    return [
        facets.brands(_labelled(brands, called["brand"]), selected=wanted.brands),
        facets.categories(
            _labelled(categories, called["category"]), selected=wanted.categories
        ),
        _stock(wanted, counted["in_stock"]),
        _prices(counted["price"]),
        *_attributes(wanted, counted),
    ]


def are_all(counted: Counted) -> bool:
    """Whether each value of an attribute was counted that a product found has."""
    return not counted["attributes"]["values"]["sum_other_doc_count"]


def are_exact(counted: Counted) -> bool:
    """Whether each was counted that may be shown: all, or the most frequent ones."""
    over = counted["attributes"]
    least = facets.least_count(over["doc_count"])
    return are_all(counted) or over["values"]["buckets"][-1]["doc_count"] < least


def _counts(counted: Counted) -> dict[str, int]:
    """The products of each value, the selected ones among them."""
    found = {bucket["key"]: bucket["doc_count"] for bucket in counted["values"]["buckets"]}
    return found | _selected(counted)


def _selected(counted: Counted) -> dict[str, int]:
    buckets = counted.get("selected", {}).get("buckets", {})
    return {value: bucket["doc_count"] for value, bucket in buckets.items()}


def _called(brands: Iterable[str], categories: Iterable[str]) -> Mapping[str, _Labels]:
    """How the brands and the categories with these slugs are called now."""
    found: dict[str, dict[str, str]] = {"brand": {}, "category": {}}
    for kind, slug, name in rows(
        _NAMES, {"brands": list(brands), "categories": list(categories)}
    ):
        found[kind][slug] = name
    return found


def _labelled(counts: Mapping[str, int], labels: _Labels) -> list[facets.Counted]:
    return [(slug, labels[slug], count) for slug, count in counts.items() if slug in labels]


def _stock(wanted: Wanted, counted: Counted) -> Facet:
    found = {bool(one["key"]): one["doc_count"] for one in counted["values"]["buckets"]}
    return facets.stock(found.get(True, 0), found.get(False, 0), selected=wanted.in_stock)


def _prices(counted: Counted) -> Facet:
    ends = (counted[name]["value"] for name in ("lowest", "highest"))
    lowest, highest = (None if end is None else Decimal(int(end)) / MINOR_UNITS for end in ends)
    return facets.prices(lowest, highest)


def _attributes(wanted: Wanted, counted: Counted) -> list[Facet]:
    over = counted["attributes"]
    found = _by_name(over)
    for number, name in enumerate(wanted.attributes):
        own = counted[counted_as(number)]
        values = _by_name(own).get(name, facets.Attribute()).values | _selected(own)
        found[name] = facets.Attribute(values=values)
    return facets.attributes(found, selected=wanted.attributes)


def _by_name(over: Counted) -> dict[str, facets.Attribute]:
    least = facets.least_count(over["doc_count"])
    return facets.attributes_of(
        (one["key"], one["doc_count"])
        for one in over["values"]["buckets"]
        if one["doc_count"] >= least
    )
