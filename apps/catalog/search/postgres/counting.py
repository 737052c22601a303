"""The facets of a search: how many of what it finds have which brand, category and so on."""

from collections.abc import Iterable, Sequence

from apps.catalog.search import facets
from apps.catalog.search.postgres.database import rows
from apps.catalog.search.postgres.matching import Match
from apps.catalog.search.postgres.ranking import Ranked, some_of
from apps.catalog.search.postgres.selecting import (
    IN_STOCK,
    Selections,
    all_but,
    attribute,
)
from apps.catalog.search.wanted import DEEPEST, Facet, FacetValue, Wanted

_BRANDS = """
    SELECT brand.slug, brand.name, count(product.id)
    FROM catalog_brand AS brand
    LEFT JOIN catalog_product AS product
        ON product.brand_id = brand.id AND product.id = ANY(%(ids)s)
    WHERE product.id IS NOT NULL OR brand.slug = ANY(%(selected)s)
    GROUP BY brand.id
"""
# A product counts for its category and for those that this one is inside of.
_CATEGORIES = """
    WITH RECURSIVE above AS (
        SELECT category_id AS id, category_id AS of, 0 AS height FROM (
            SELECT DISTINCT category_id FROM catalog_product WHERE id = ANY(%(ids)s)
        ) AS found
        UNION ALL
        SELECT category.parent_id, above.of, above.height + 1
        FROM above JOIN catalog_category AS category ON category.id = above.id
        WHERE category.parent_id IS NOT NULL
    ), counted AS (
        SELECT above.id, sum(here.products) AS products
        FROM above JOIN (
            SELECT category_id, count(*) AS products FROM catalog_product
            WHERE id = ANY(%(ids)s) GROUP BY category_id
        ) AS here ON here.category_id = above.of
        GROUP BY above.id
    )
    SELECT category.slug, category.name, coalesce(counted.products, 0)::bigint
    FROM catalog_category AS category LEFT JOIN counted ON counted.id = category.id
    WHERE counted.products > 0 OR category.slug = ANY(%(selected)s)
"""
_STOCK = f"""
    SELECT {IN_STOCK} AS is_in_stock, count(*)
    FROM catalog_product AS product WHERE product.id = ANY(%(ids)s) GROUP BY 1
"""  # noqa: S608 all that is put in is ours
_PRICES = """
    SELECT min(price), max(price) FROM catalog_variant
    WHERE product_id = ANY(%(ids)s) AND is_active
"""
_ATTRIBUTES = """
    WITH counted AS (
        SELECT facet, count(*) AS products
        FROM search_searchtext AS text, unnest(text.facets) AS facet
        WHERE text.product_id = ANY(%(ids)s)
        GROUP BY facet
    ), named AS (
        SELECT split_part(facet, ':', 1) AS name,
            substr(facet, strpos(facet, ':') + 1) AS value, products
        FROM counted
    ), numbered AS (
        SELECT *, row_number() OVER (
            PARTITION BY name ORDER BY products DESC, value COLLATE "C"
        ) AS number
        FROM named
    ), shown AS (
        SELECT *, sum(products) OVER (PARTITION BY name) AS covered,
            count(*) OVER (PARTITION BY name) AS different
        FROM numbered WHERE number <= %(most)s
    ), best AS (
        SELECT *, dense_rank() OVER (ORDER BY covered DESC, name COLLATE "C") AS place
        FROM shown WHERE different > 1
    )
    SELECT name, value, products FROM best WHERE place <= %(names)s
"""
_ATTRIBUTE = """
    SELECT substr(facet, length(%(name)s) + 2), count(*)
    FROM search_searchtext AS text, unnest(text.facets) AS facet
    WHERE text.product_id = ANY(%(ids)s) AND starts_with(facet, %(name)s || ':')
    GROUP BY facet
"""


def facets_of(
    wanted: Wanted, *, match: Match, selections: Selections, found: Ranked
) -> tuple[list[Facet], bool]:
    """All facets, and whether they are exact: none counted more than DEEPEST products."""
    counting = _Counting(match, selections, found)
    attributes = list(wanted.attributes)
    shown = [
        _brands(wanted, counting.ids("brand")),
        _categories(wanted, counting.ids("category")),
        _stock(wanted, counting.ids("in_stock")),
        _prices(counting.ids("price")),
        *_attributes(wanted, counting, attributes),
    ]
    return shown, counting.is_exact


class _Counting:
    """What each facet is counted over."""

    def __init__(self, match: Match, selections: Selections, found: Ranked) -> None:
        self._match, self._selections, self._found = match, selections, found
        self.is_exact = True

    def ids(self, facet: str) -> list[int]:
        """What all selections but the facet's own leave over, at most DEEPEST of them."""
        if facet not in self._selections:
            self.is_exact &= self._found.total <= DEEPEST
            return self._found.ids
        ids = some_of(self._match, all_but(self._selections, facet))
        self.is_exact &= len(ids) <= DEEPEST
        return ids[:DEEPEST]


def _brands(wanted: Wanted, ids: list[int]) -> Facet:
    counted = rows(_BRANDS, {"ids": ids, "selected": list(wanted.brands)})
    return _terms("brand", counted, wanted.brands)


def _categories(wanted: Wanted, ids: list[int]) -> Facet:
    counted = rows(_CATEGORIES, {"ids": ids, "selected": list(wanted.categories)})
    return _terms("category", counted, wanted.categories)


def _terms(name: str, counted: Sequence[facets.Counted], selected: Sequence[str]) -> Facet:
    values = facets.values_of(counted, selected=selected, most=facets.MOST_VALUES)
    return Facet(name=name, type="terms", values=values)


def _stock(wanted: Wanted, ids: list[int]) -> Facet:
    counted: dict[bool, int] = dict(rows(_STOCK, {"ids": ids}))
    values = [
        FacetValue(
            value=value,
            label=label,
            count=counted.get(is_in_stock, 0),
            selected=wanted.in_stock is is_in_stock,
        )
        for value, label, is_in_stock in (
            ("true", "In stock", True),
            ("false", "Sold out", False),
        )
    ]
    return Facet(name="in_stock", type="bool", values=values)


def _prices(ids: list[int]) -> Facet:
    lowest, highest = rows(_PRICES, {"ids": ids})[0]
    return Facet(name="price", type="range", lowest=lowest, highest=highest)


def _attributes(wanted: Wanted, counting: _Counting, selected: Sequence[str]) -> list[Facet]:
    params = {
        "ids": counting.ids("attributes"),
        "most": facets.MOST_ATTRIBUTE_VALUES,
        "names": facets.MOST_ATTRIBUTES,
    }
    counted: dict[str, list[tuple[str, int]]] = {}
    for name, value, products in rows(_ATTRIBUTES, params):
        counted.setdefault(name, []).append((value, products))
    shown = facets.attributes_to_show(counted, selected=selected)
    for name in selected:
        own = {"ids": counting.ids(attribute(name)), "name": name}
        counted[name] = _with_selected(rows(_ATTRIBUTE, own), wanted.attributes[name])
    return [_attribute(name, counted[name], wanted.attributes.get(name, ())) for name in shown]


def _with_selected(
    counted: Iterable[tuple[str, int]], selected: Sequence[str]
) -> list[tuple[str, int]]:
    missing = dict.fromkeys(selected, 0)
    return list((missing | dict(counted)).items())


def _attribute(name: str, counted: Iterable[tuple[str, int]], selected: Sequence[str]) -> Facet:
    values = facets.values_of(
        ((value, value, count) for value, count in counted),
        selected=selected,
        most=facets.MOST_ATTRIBUTE_VALUES,
    )
    return Facet(name=name, type="attribute", values=values)
