"""The shopkeeper's rules together, as a search needs them; read again every few seconds."""

import time
from dataclasses import dataclass

from apps.catalog.search.boosts import Rule, rules_of
from apps.catalog.search.empty import empty_of, keys_of
from apps.catalog.search.models import Boost, EmptySearch, Synonym
from apps.catalog.search.synonyms import Group, groups_of

_BELIEVED = 5.0  # seconds; longer, and who edits them would think that nothing happens


@dataclass(frozen=True, kw_only=True)
class Rules:
    synonyms: tuple[Group, ...] = ()
    boosts: tuple[Rule, ...] = ()
    empty: frozenset[str] = frozenset()

    def leaves_empty(self, q: str) -> bool:
        """Whether a search for this is to find nothing."""
        return not keys_of(q).isdisjoint(self.empty)


def read_rules() -> Rules:
    """As they are in the database now."""
    return Rules(
        synonyms=groups_of(Synonym.objects.all()),
        boosts=rules_of(Boost.objects.all()),
        empty=empty_of(EmptySearch.objects.all()),
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
