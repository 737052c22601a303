"""The shopkeeper's rules together, as a search needs them; read again every few seconds."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from apps.catalog.search.boosts import Rule, rules_of
from apps.catalog.search.models import Boost, EmptySearch, Synonym
from apps.catalog.search.synonyms import Group, groups_of
from apps.catalog.search.words import same_search

_BELIEVED = 5.0  # seconds; longer, and who edits them would think that nothing happens


@dataclass(frozen=True, kw_only=True)
class Rules:
    synonyms: tuple[Group, ...] = ()
    boosts: tuple[Rule, ...] = ()
    empty: frozenset[frozenset[str]] = frozenset()  # the words of each

    def leaves_empty(self, q: str) -> bool:
        """Whether a search for this is to find nothing."""
        return same_search(q) in self.empty


def empty_of(searches: Iterable[EmptySearch]) -> frozenset[frozenset[str]]:
    """The words of those that are active; a search without a word is none of them."""
    words = (same_search(each.query) for each in searches if each.is_active)
    return frozenset(filter(None, words))


def read_rules() -> Rules:
    """As they are in the database now."""
    return Rules(
        synonyms=groups_of(Synonym.objects.filter(is_active=True)),
        boosts=rules_of(Boost.objects.filter(is_active=True)),
        empty=empty_of(EmptySearch.objects.filter(is_active=True)),
    )


class _Kept:
    def __init__(self) -> None:
        self.rules = Rules()
        self.until = float("-inf")


_kept = _Kept()


def current_rules() -> Rules:
    """As they were a few seconds ago at most."""
    now = time.monotonic()
    if now >= _kept.until:
        _kept.rules, _kept.until = read_rules(), now + _BELIEVED
    return _kept.rules


def forget() -> None:
    """Read them again for the next search."""
    _kept.until = float("-inf")
