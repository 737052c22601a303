"""What a rule that is not saved yet would do to the results of a search."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from apps.catalog.models import Product
from apps.catalog.search.boosts import rules_of
from apps.catalog.search.empty import empty_of
from apps.catalog.search.models import Boost, EmptySearch, Synonym
from apps.catalog.search.rules import Rules, read_rules
from apps.catalog.search.searching import search
from apps.catalog.search.synonyms import groups_of
from apps.catalog.search.wanted import Found, Wanted

SHOWN = 10

AnyRule = Synonym | Boost | EmptySearch


@dataclass(frozen=True, kw_only=True)
class Place:
    """A product among the results; `was` is where it would be under the other rules."""

    number: int
    product: Product
    was: int | None  # None: not among those that are shown

    @property
    def move(self) -> str:
        """Of a product in the new results, in words how it came there; empty if it stayed."""
        if self.was is None:
            return "new here"
        if self.was == self.number:
            return ""
        return f"{'up' if self.number < self.was else 'down'} from {self.was}"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    before: Sequence[Place]
    after: Sequence[Place]
    total_before: int
    total_after: int
    engine: str
    hidden: int  # of nothing that is found: what is, but for an empty search

    @property
    def is_different(self) -> bool:
        return (self.total_before, [place.product for place in self.before]) != (
            self.total_after,
            [place.product for place in self.after],
        )


def compare(rule: AnyRule, *, q: str) -> Comparison:
    """The first results for `q` without and with the rule as it stands on the form.

    Nothing is saved, and no other search sees the rule.
    """
    wanted = Wanted(q=q, page_size=SHOWN)
    kept = read_rules()
    before = search(wanted, rules=kept)
    changed = _rules_with(rule, kept=kept)
    after = search(wanted, rules=changed)
    none_empty = replace(changed, empty=frozenset())
    ids = {hit.product_id for found in (before, after) for hit in found.hits}
    products = Product.objects.select_related("brand").in_bulk(ids)
    return Comparison(
        before=_places(before, other=after, products=products),
        after=_places(after, other=before, products=products),
        total_before=before.total,
        total_after=after.total,
        engine=after.engine,
        hidden=0 if after.total else search(wanted, rules=none_empty).total,
    )


def _rules_with(rule: AnyRule, *, kept: Rules) -> Rules:
    match rule:
        case Synonym():
            terms = [*Synonym.objects.exclude(pk=rule.pk), rule]
            return replace(kept, synonyms=groups_of(terms))
        case Boost():
            boosts = [*Boost.objects.exclude(pk=rule.pk), rule]
            return replace(kept, boosts=rules_of(boosts))
        case EmptySearch():
            searches = [*EmptySearch.objects.exclude(pk=rule.pk), rule]
            return replace(kept, empty=empty_of(searches))


def _places(found: Found, *, other: Found, products: dict[int, Product]) -> list[Place]:
    elsewhere = {hit.product_id: number for number, hit in enumerate(other.hits, start=1)}
    return [
        Place(
            number=number,
            product=products[hit.product_id],
            was=elsewhere.get(hit.product_id),
        )
        for number, hit in enumerate(found.hits, start=1)
        if hit.product_id in products  # an index may still know what is gone
    ]
