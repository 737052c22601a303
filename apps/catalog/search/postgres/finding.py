"""A search, answered by PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.catalog.search import boosts
from apps.catalog.search.parts import thing_of
from apps.catalog.search.postgres import highlighting
from apps.catalog.search.postgres.asking import Clause, clauses_of
from apps.catalog.search.postgres.counting import facets_of
from apps.catalog.search.postgres.database import ENGINE
from apps.catalog.search.postgres.matching import Match, all_of, everything, most_of
from apps.catalog.search.postgres.ranking import ranked
from apps.catalog.search.postgres.selecting import all_but, selections_of
from apps.catalog.search.postgres.typos import as_meant
from apps.catalog.search.rules import Rules
from apps.catalog.search.wanted import Found, Wanted
from apps.catalog.search.words import MOST_LETTERS, run_together, words_of, words_typed


def search(wanted: Wanted, *, rules: Rules) -> Found:
    """What is found, with its facets."""
    tier = _tier(wanted.q, rules)
    if tier is None:
        return Found(engine=ENGINE)
    selections = selections_of(wanted)
    found = ranked(
        tier.match,
        all_but(selections, None),
        sort=wanted.sort,
        factors=boosts.factors(words_of(tier.did_you_mean or wanted.q), rules=rules.boosts),
    )
    start = (wanted.page - 1) * wanted.page_size
    page = found.ids[start : start + wanted.page_size]
    facets, are_exact = facets_of(wanted, match=tier.match, selections=selections, found=found)
    return Found(
        hits=highlighting.hits(page, match=tier.match),
        total=found.total,
        facets=facets,
        facets_are_exact=are_exact,
        engine=ENGINE,
        relaxed=tier.is_relaxed,
        did_you_mean=tier.did_you_mean,
    )


@dataclass(frozen=True, kw_only=True)
class _Tier:
    """How strictly the words are taken; chosen before anything is selected."""

    match: Match
    is_relaxed: bool = False
    did_you_mean: str | None = None


def _tier(q: str, rules: Rules) -> _Tier | None:
    """The strictest one that finds something; None if none does."""
    if not q.strip():
        return _Tier(match=everything())
    clauses = clauses_of(words_of(q), groups=rules.synonyms)
    if not clauses:
        return None
    match = all_of(clauses, thing=thing_of(q))
    if match.finds_something():
        return _Tier(match=match)
    return _as_sku(q) or _corrected(q, clauses, rules) or _relaxed(q, clauses)


def _as_sku(q: str) -> _Tier | None:
    """With all that was typed as one: AB 12 CD. An SKU that is new is not counted yet."""
    typed = words_typed(q)
    one = run_together(typed)
    if len(typed) == 1 or len(one) > MOST_LETTERS or one.isalpha():
        return None
    match = all_of(clauses_of([one], groups=()))
    return _Tier(match=match) if match.finds_something() else None


def _corrected(q: str, clauses: Sequence[Clause], rules: Rules) -> _Tier | None:
    """With words that nobody knows taken for the likeliest that are known."""
    said = as_meant(q, clauses)
    if said is None:
        return None
    clauses = clauses_of(words_of(said), groups=rules.synonyms)
    if not clauses:  # they were meant as what says nothing
        return None
    match = all_of(clauses, thing=thing_of(said))
    if match.finds_something():
        return _Tier(match=match, is_relaxed=True, did_you_mean=said)
    return _relaxed(said, clauses, did_you_mean=said)


def _relaxed(
    q: str, clauses: Sequence[Clause], *, did_you_mean: str | None = None
) -> _Tier | None:
    """With most of what the words say, where that is more than one word."""
    if len(clauses) < 2:
        return None
    match = most_of(clauses, thing=thing_of(q))
    if match.finds_something():
        return _Tier(match=match, is_relaxed=True, did_you_mean=did_you_mean)
    return None
