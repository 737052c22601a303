"""What a search is narrowed down by, each selection a condition on `product` in SQL."""

from collections.abc import Mapping
from typing import Any

from apps.catalog.search.facets import of_attribute
from apps.catalog.search.wanted import Wanted

# By the name of the facet that it belongs to.
Selections = Mapping[str, "Selection"]
Selection = tuple[str, dict[str, Any]]

_BRAND = """
    product.brand_id IN (SELECT id FROM catalog_brand WHERE slug = ANY(%(brands)s))
"""
_CATEGORY = """
    product.category_id IN (
        WITH RECURSIVE inside AS (
            SELECT id FROM catalog_category WHERE slug = ANY(%(categories)s)
            UNION
            SELECT child.id FROM catalog_category AS child
            JOIN inside ON child.parent_id = inside.id
        )
        SELECT id FROM inside
    )
"""
_PRICE = """
    EXISTS (
        SELECT FROM catalog_variant AS offer
        WHERE offer.product_id = product.id AND offer.is_active
            AND offer.price >= coalesce(%(price_min)s, offer.price)
            AND offer.price <= coalesce(%(price_max)s, offer.price)
    )
"""
IN_STOCK = """
    EXISTS (
        SELECT FROM catalog_variant AS offer
        JOIN catalog_stockitem AS stock ON stock.variant_id = offer.id
        WHERE offer.product_id = product.id AND offer.is_active
            AND stock.on_hand > stock.reserved
    )
"""


def selections_of(wanted: Wanted) -> Selections:
    """The conditions by the name of their facet; those of attributes by `of_attribute`."""
    found: dict[str, Selection] = {}
    if wanted.brands:
        found["brand"] = (_BRAND, {"brands": list(wanted.brands)})
    if wanted.categories:
        found["category"] = (_CATEGORY, {"categories": list(wanted.categories)})
    if wanted.price_min is not None or wanted.price_max is not None:
        ends = {"price_min": wanted.price_min, "price_max": wanted.price_max}
        found["price"] = (_PRICE, ends)
    if wanted.in_stock is not None:
        found["in_stock"] = (IN_STOCK if wanted.in_stock else f"NOT {IN_STOCK}", {})
    for number, (name, values) in enumerate(wanted.attributes.items()):
        texts = [f"{name}:{value}" for value in values]
        found[of_attribute(name)] = (
            f"text.facets && %(texts{number})s",
            {f"texts{number}": texts},
        )
    return found


def all_but(selections: Selections, own: str | None) -> Selection:
    """One condition of all selections, but for the facet's `own`."""
    chosen = [each for name, each in selections.items() if name != own]
    params: dict[str, Any] = {}
    for _, values in chosen:
        params |= values
    return " AND ".join(["true", *(sql for sql, _ in chosen)]), params
