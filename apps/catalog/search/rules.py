"""Synonyms and boosts together, as a search needs them; read again every few seconds."""

import time
from dataclasses import dataclass

from apps.catalog.search.boosts import Rule, rules_of
from apps.catalog.search.models import Boost, Synonym
from apps.catalog.search.synonyms import Group, groups_of

_BELIEVED = 5.0  # seconds; longer, and who edits them would think that nothing happens


@dataclass(frozen=True, kw_only=True)
class Rules:
    synonyms: tuple[Group, ...] = ()
    boosts: tuple[Rule, ...] = ()


def read_rules() -> Rules:
    """As they are in the database now."""
    return Rules(
        synonyms=groups_of(Synonym.objects.filter(is_active=True)),
        boosts=rules_of(Boost.objects.filter(is_active=True)),
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
