"""What the shopkeeper moves up or down in the results."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from apps.catalog.search.models import Boost
from apps.catalog.search.spellings import same_word
from apps.catalog.search.tree import Tree
from apps.catalog.search.words import words_of


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One boost. `words` empty: it holds for every search."""

    words: frozenset[str]
    factor: float
    product_id: int | None = None
    brand_id: int | None = None
    category_ids: tuple[int, ...] = ()  # the category and all inside it


@dataclass(frozen=True, kw_only=True)
class Factors:
    """What the score of a product is multiplied by: all that fit, one with another."""

    products: Mapping[int, float] = field(default_factory=dict)
    brands: Mapping[int, float] = field(default_factory=dict)
    categories: Mapping[int, float] = field(default_factory=dict)  # those inside are named, too


def rules_of(boosts: Iterable[Boost]) -> tuple[Rule, ...]:
    """Those of the boosts that are active and can apply; one statement however many."""
    tree = Tree()
    return tuple(
        Rule(
            words=key_of(words_of(boost.query)),
            factor=boost.factor,
            product_id=boost.product_id,
            brand_id=boost.brand_id,
            category_ids=tree.inside(boost.category_id) if boost.category_id else (),
        )
        for boost in boosts
        if boost.is_active and says_something(boost.query)
    )


def says_something(query: str) -> bool:
    """Whether a boost of this query ever applies: not for no word, such as “the” or “!!”.

    An empty one applies to every search.
    """
    return not query.strip() or bool(words_of(query))


def factors(words: Sequence[str], *, rules: Iterable[Rule]) -> Factors:
    """Of a search for these words."""
    asked = key_of(words)
    products: dict[int, float] = defaultdict(lambda: 1.0)
    brands: dict[int, float] = defaultdict(lambda: 1.0)
    categories: dict[int, float] = defaultdict(lambda: 1.0)
    for rule in rules:
        if rule.words and rule.words != asked:
            continue
        if rule.product_id is not None:
            products[rule.product_id] *= rule.factor
        if rule.brand_id is not None:
            brands[rule.brand_id] *= rule.factor
        for category_id in rule.category_ids:
            categories[category_id] *= rule.factor
    return Factors(products=dict(products), brands=dict(brands), categories=dict(categories))


def key_of(words: Iterable[str]) -> frozenset[str]:
    """Of two searches it is the same if a boost of one holds for the other."""
    return frozenset(same_word(word) for word in words)
