"""What a search is narrowed down by, as filters, and what is counted beside each of them."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from apps.catalog.search import facets
from apps.catalog.search.engine.document import minor_units
from apps.catalog.search.wanted import Wanted

Query = dict[str, Any]
Selections = Mapping[str, Query]  # by the name of the facet that each belongs to
# Values of attributes, from which those to show are chosen. Their texts are what takes time: in
# their order, the last one first, the engine reads them one after the other, and a search is a
# sixth faster; the most frequent ones it looks up one by one.
IN_ORDER: Query = {"size": 20_000, "order": {"_key": "desc"}}
MOST_FREQUENT: Query = {"size": 5000, "order": {"_count": "desc"}}


def selections_of(wanted: Wanted) -> Selections:
    """The filters by the name of their facet; those of attributes by `of_attribute`."""
    found: dict[str, Query] = {}
    if wanted.brands:
        found["brand"] = {"terms": {"brand_slug": list(wanted.brands)}}
    if wanted.categories:
        found["category"] = {"terms": {"category_slugs": list(wanted.categories)}}
    if wanted.price_min is not None or wanted.price_max is not None:
        found["price"] = _prices(wanted.price_min, wanted.price_max)
    if wanted.in_stock is not None:
        found["in_stock"] = {"term": {"in_stock": wanted.in_stock}}
    for name, values in wanted.attributes.items():
        texts = [f"{name}:{value}" for value in values]
        found[facets.of_attribute(name)] = {"terms": {"selections": texts}}
    return found


def counted_as(number: int) -> str:
    """The name of the aggregation of the attribute that is selected so-many-th."""
    return f"attribute{number}"


def all_but(selections: Selections, own: str | None) -> Query:
    """One filter of all selections, but for the facet's `own`."""
    chosen = [each for name, each in selections.items() if name != own]
    return {"bool": {"filter": chosen}}


def aggregations(wanted: Wanted, selections: Selections) -> dict[str, Query]:
    """What to count of all but attributes, and of each attribute that is selected; each over
    what all selections but its own leave over."""
    prices = {"lowest": {"min": {"field": "prices"}}, "highest": {"max": {"field": "prices"}}}
    counted = {
        "brand": _terms("brand_slug", wanted.brands),
        "category": _terms("category_slugs", wanted.categories),
        "in_stock": {"values": {"terms": {"field": "in_stock"}}},
        "price": prices,
    }
    return {
        **{name: _over(selections, name, each) for name, each in counted.items()},
        # By number: what people type is no name for an aggregation.
        **{
            counted_as(number): _over(
                selections, facets.of_attribute(name), _of_name(name, values)
            )
            for number, (name, values) in enumerate(wanted.attributes.items())
        },
    }


def attributes(selections: Selections, values: Query) -> dict[str, Query]:
    """How many have which value of any attribute: IN_ORDER or the MOST_FREQUENT ones."""
    counted = {"values": {"terms": {"field": "selections", **values}}}
    return {"attributes": _over(selections, "attributes", counted)}


def _over(selections: Selections, own: str, counted: dict[str, Query]) -> Query:
    return {"filter": all_but(selections, own), "aggs": counted}


def _terms(field: str, selected: Sequence[str]) -> dict[str, Query]:
    counted: dict[str, Query] = {
        "values": {"terms": {"field": field, "size": facets.MOST_VALUES}}
    }
    if selected:  # also one that is not among the most frequent
        counted["selected"] = {"filters": {"filters": _each(field, selected)}}
    return counted


def _of_name(name: str, selected: Sequence[str]) -> dict[str, Query]:
    values = {
        "field": "selections",
        "include": f"{_literally(name)}:.+",
        "size": facets.MOST_ATTRIBUTE_VALUES,
    }
    texts = {value: {"term": {"selections": f"{name}:{value}"}} for value in selected}
    return {"values": {"terms": values}, "selected": {"filters": {"filters": texts}}}


def _literally(text: str) -> str:
    """The text as a regular expression of the engine, which knows more signs than Python."""
    return re.sub(r"(\W)", r"\\\1", text)


def _each(field: str, values: Sequence[str]) -> dict[str, Query]:
    return {value: {"term": {field: value}} for value in values}


def _prices(lowest: Decimal | None, highest: Decimal | None) -> Query:
    ends: dict[str, int] = {}
    if lowest is not None:
        ends["gte"] = minor_units(lowest)
    if highest is not None:
        ends["lte"] = minor_units(highest)
    return {"range": {"prices": ends}}
