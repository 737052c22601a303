"""What a search asks for and what it finds: the contract of the engine and of PostgreSQL.

Both answer the same questions in the same shape, and hold to the same rules:

* A filter on the price is met by a product of which an active variant costs that much; one on
  stock by a product of which an active variant is available. Only products on sale are found.
* Inside a facet, values are alternatives; across facets, all must hold.
* A facet counts what all selections but its own leave over.
* An order by something other than relevance ends with the id, so that pages do not overlap.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

# Page by page no further than this; an export reads the list of products instead.
DEEPEST = 10_000
SORTS = ("relevance", "newest", "name", "-name", "price", "-price")
# When not all of the words are found together: how much of what they say must be.
ENOUGH = 0.75
# Of its score, what a laptop lock has when a laptop is looked for, and what is sold out.
FOR_IT = 0.5
SOLD_OUT = 0.5
POPULAR = 0.5  # times the logarithm of the popularity, on top of the score

_NOT_IN_HTML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A search, checked: nothing in it makes an engine slow or fail."""

    q: str = ""
    brands: tuple[str, ...] = ()  # slugs
    categories: tuple[str, ...] = ()  # slugs; what is in the categories inside counts, too
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    in_stock: bool | None = None
    sort: str = "relevance"  # one of SORTS
    page: int = 1
    page_size: int = 24


def as_html_has_it(text: str) -> str:
    """Without the control characters that a text may have, and HTML must not."""
    return _NOT_IN_HTML.sub("", text)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A product that was found. Its price and stock are read from PostgreSQL, by its id."""

    product_id: int
    name_html: str  # escaped, with <mark> around what matched, without control characters
    excerpt_html: str  # the same of the description, empty if nothing matched in it


@dataclass(frozen=True, kw_only=True)
class FacetValue:
    value: str  # what to select it by
    label: str  # what to call it
    count: int
    selected: bool = False


@dataclass(frozen=True, kw_only=True)
class Facet:
    name: str  # brand, category, in_stock, price, or an attribute's name
    type: str  # "terms", "attribute", "bool", or "range"
    values: Sequence[FacetValue] = ()
    # Of a range: the ends of what the other selections leave over.
    lowest: Decimal | None = None
    highest: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    engine: str  # "elasticsearch", "opensearch" or "postgres"
    hits: Sequence[Hit] = ()
    total: int = 0
    facets: Sequence[Facet] = ()
    total_relation: str = "eq"  # or "gte": there are more
    facets_are_exact: bool = True
    relaxed: bool = False  # not all of the words were found together
    did_you_mean: str | None = None
    degraded: bool = False  # the engine should have answered, and did not


@dataclass(frozen=True, kw_only=True)
class Suggestions:
    """What may be meant by the first letters of a search."""

    engine: str
    queries: Sequence[str] = ()
    product_ids: Sequence[int] = ()
    degraded: bool = False
