"""The products that a search finds, in the order that it wants them in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.catalog.search.boosts import Factors
from apps.catalog.search.postgres.database import rows
from apps.catalog.search.postgres.matching import ON_SALE_TEXTS, Match
from apps.catalog.search.postgres.selecting import IN_STOCK, Selection
from apps.catalog.search.wanted import DEEPEST, POPULAR, SOLD_OUT

_FOUND = f"FROM {ON_SALE_TEXTS} WHERE {{}} AND {{}}"
_LOWEST_PRICE = """(
    SELECT min(offer.price) FROM catalog_variant AS offer
    WHERE offer.product_id = product.id AND offer.is_active
)"""
# The same as IN_STOCK, product by product: quicker for some of them, slower for all.
_IN_STOCK_EACH = """(
    SELECT bool_or(stock.on_hand > stock.reserved) FROM catalog_variant AS offer
    JOIN catalog_stockitem AS stock ON stock.variant_id = offer.id
    WHERE offer.product_id = product.id AND offer.is_active
)"""
# As an engine does: without case and accents.
_BY_NAME = 'lower(unaccent(product.name)) COLLATE "C"'
_ORDERS = {
    "newest": "product.created_at DESC, product.id DESC",
    "name": f"{_BY_NAME}, product.id",
    "-name": f"{_BY_NAME} DESC, product.id DESC",
    "price": f"{_LOWEST_PRICE}, product.id",
    "-price": f"{_LOWEST_PRICE} DESC, product.id DESC",
}


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """The ids of the first DEEPEST products, and how many there are in all."""

    ids: list[int]
    total: int


def ranked(match: Match, selection: Selection, *, sort: str, factors: Factors) -> Ranked:
    """All that is found, in order."""
    condition, selected = selection
    params = {**match.params, **selected, **_boosts(factors)}
    order = _ORDERS.get(sort) or f"{_relevance(match, factors)} DESC, {_ORDERS['newest']}"
    sql = f"""
        SELECT product.id, count(*) OVER ()
        {_FOUND.format(match.condition, condition)}
        ORDER BY {order} LIMIT {DEEPEST}
    """  # noqa: S608 all that is put in is ours
    found = rows(sql, params)
    return Ranked(ids=[pk for pk, _ in found], total=found[0][1] if found else 0)


def some_of(match: Match, selection: Selection) -> list[int]:
    """The ids of what is found, in no order, at most one more than DEEPEST."""
    condition, selected = selection
    sql = f"""
        SELECT product.id {_FOUND.format(match.condition, condition)} LIMIT {DEEPEST + 1}
    """  # noqa: S608 all that is put in is ours
    return [pk for (pk,) in rows(sql, {**match.params, **selected})]


def _relevance(match: Match, factors: Factors) -> str:
    """The score, times what speaks for a product whatever is searched."""
    is_in_stock = _IN_STOCK_EACH if match.marked else IN_STOCK
    parts = [
        f"({match.score})",
        f"(1 + {POPULAR} * ln(1 + product.popularity))",
        f"(CASE WHEN {is_in_stock} THEN 1 ELSE {SOLD_OUT} END)",
        *(
            f"coalesce((%(boost_{name})s::jsonb ->> {column}::text)::float8, 1)"
            for name, column in _BOOSTED.items()
            if getattr(factors, name)
        ),
    ]
    return " * ".join(parts)


_BOOSTED = {
    "products": "product.id",
    "brands": "product.brand_id",
    "categories": "product.category_id",
}


def _boosts(factors: Factors) -> dict[str, Any]:
    by_name: dict[str, Mapping[int, float]] = {
        name: getattr(factors, name) for name in _BOOSTED
    }
    return {f"boost_{name}": json.dumps(by_id) for name, by_id in by_name.items() if by_id}
