"""The facets of a search: how many of what it finds have which brand, category and so on."""

from collections.abc import Sequence
from typing import NamedTuple

from apps.catalog.search import facets
from apps.catalog.search.postgres.database import rows
from apps.catalog.search.postgres.matching import Match
from apps.catalog.search.postgres.ranking import Ranked, some_of
from apps.catalog.search.postgres.selecting import Selections, all_but
from apps.catalog.search.wanted import DEEPEST, Facet, Wanted

_BRANDS = """
    SELECT brand.slug, brand.name, count(product.id)
    FROM catalog_brand AS brand
    LEFT JOIN catalog_product AS product
        ON product.brand_id = brand.id AND product.id = ANY(%(ids)s::bigint[])
    WHERE product.id IS NOT NULL OR brand.slug = ANY(%(selected)s)
    GROUP BY brand.id
"""
# A product counts for its category and for those that this one is inside of.
_CATEGORIES = """
    WITH RECURSIVE here AS MATERIALIZED (
        SELECT category_id AS id, count(*) AS products FROM catalog_product
        WHERE id = ANY(%(ids)s::bigint[]) GROUP BY category_id
    ), above AS (
        SELECT id, products FROM here
        UNION ALL
        SELECT category.parent_id, above.products
        FROM above JOIN catalog_category AS category ON category.id = above.id
        WHERE category.parent_id IS NOT NULL
    ), counted AS (
        SELECT id, sum(products) AS products FROM above GROUP BY id
    )
    SELECT category.slug, category.name, coalesce(counted.products, 0)::bigint
    FROM catalog_category AS category LEFT JOIN counted ON counted.id = category.id
    WHERE counted.products > 0 OR category.slug = ANY(%(selected)s)
"""
# Not product by product: PostgreSQL would look at the stock of the whole shop first.
_STOCK = """
    SELECT count(DISTINCT offer.product_id) FROM catalog_variant AS offer
    JOIN catalog_stockitem AS stock ON stock.variant_id = offer.id
    WHERE offer.product_id = ANY(%(ids)s::bigint[]) AND offer.is_active
        AND stock.on_hand > stock.reserved
"""
_PRICES = """
    SELECT min(price), max(price) FROM catalog_variant
    WHERE product_id = ANY(%(ids)s::bigint[]) AND is_active
"""
_ATTRIBUTES = """
    SELECT facet, count(*) FROM search_searchtext AS text, unnest(text.facets) AS facet
    WHERE text.product_id = ANY(%(ids)s::bigint[]) AND {}
    GROUP BY facet HAVING count(*) >= %(least)s OR facet = ANY(%(selected)s)
"""


def facets_of(
    wanted: Wanted, *, match: Match, selections: Selections, found: Ranked
) -> tuple[list[Facet], bool]:
    """All facets, and whether they are exact: none counted more than DEEPEST products."""
    counting = _Counting(match, selections, found)
    shown = [
        _brands(wanted, counting.over("brand")),
        _categories(wanted, counting.over("category")),
        _stock(wanted, counting.over("in_stock")),
        _prices(counting.over("price")),
        *_attributes(wanted, counting),
    ]
    return shown, counting.is_exact


class _Products(NamedTuple):
    """What is counted over. All ids are one literal: thousands, each for itself, take
    PostgreSQL longer to read than to count what is asked."""

    ids: str
    number: int


def _products(ids: Sequence[int]) -> _Products:
    return _Products(ids=f"{{{','.join(map(str, ids))}}}", number=len(ids))


class _Counting:
    """What each facet is counted over."""

    def __init__(self, match: Match, selections: Selections, found: Ranked) -> None:
        self._match, self._selections, self._found = match, selections, found
        self._all = _products(found.ids)
        self.is_exact = True

    def over(self, facet: str) -> _Products:
        """What all selections but the facet's own leave over, at most DEEPEST of them."""
        if facet not in self._selections:
            self.is_exact &= self._found.total <= DEEPEST
            return self._all
        ids = some_of(self._match, all_but(self._selections, facet))
        self.is_exact &= len(ids) <= DEEPEST
        return _products(ids[:DEEPEST])


def _brands(wanted: Wanted, products: _Products) -> Facet:
    counted = rows(_BRANDS, {"ids": products.ids, "selected": list(wanted.brands)})
    return facets.brands(counted, selected=wanted.brands)


def _categories(wanted: Wanted, products: _Products) -> Facet:
    counted = rows(_CATEGORIES, {"ids": products.ids, "selected": list(wanted.categories)})
    return facets.categories(counted, selected=wanted.categories)


def _stock(wanted: Wanted, products: _Products) -> Facet:
    in_stock: int = rows(_STOCK, {"ids": products.ids})[0][0]
    return facets.stock(in_stock, products.number - in_stock, selected=wanted.in_stock)


def _prices(products: _Products) -> Facet:
    lowest, highest = rows(_PRICES, {"ids": products.ids})[0]
    return facets.prices(lowest, highest)


def _attributes(wanted: Wanted, counting: _Counting) -> list[Facet]:
    counted = _counted(counting.over("attributes"))
    for name, selected in wanted.attributes.items():
        own = _counted(
            counting.over(facets.of_attribute(name)),
            beginning=f"{name}:",
            selected=[f"{name}:{value}" for value in selected],
        )
        values = dict.fromkeys(selected, 0)
        if name in own:
            values |= own[name].values
        counted[name] = facets.Attribute(values=values)
    return facets.attributes(counted, selected=wanted.attributes)


def _counted(
    products: _Products, *, beginning: str = "", selected: Sequence[str] = ()
) -> dict[str, facets.Attribute]:
    """How many have which value, by name; of the selected ones however few."""
    sql = _ATTRIBUTES.format("starts_with(facet, %(beginning)s)" if beginning else "true")
    least = facets.least_count(products.number)
    params = {
        "ids": products.ids,
        "beginning": beginning,
        "least": least,
        "selected": list(selected),
    }
    return facets.attributes_of(rows(sql, params))
