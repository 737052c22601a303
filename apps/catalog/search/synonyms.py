"""Which words mean the same, as the shopkeeper says."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from apps.catalog.search.models import Synonym
from apps.catalog.search.spellings import same_word
from apps.catalog.search.words import words_of

Term = tuple[str, ...]  # its words
Group = tuple[Term, ...]


@dataclass(frozen=True, kw_only=True)
class Replaceable:
    """Words of a search that may as well be others."""

    start: int
    length: int
    others: tuple[Term, ...]


def groups_of(synonyms: Iterable[Synonym]) -> tuple[Group, ...]:
    """The groups with at least two different terms."""
    groups = (
        tuple(dict.fromkeys(tuple(words_of(term)) for term in each.terms.split(",")))
        for each in synonyms
        if each.is_active
    )
    filled = (tuple(term for term in group if term) for group in groups)
    return tuple(group for group in filled if len(group) > 1)


def longest_at(place: int, swaps: Iterable[Replaceable]) -> tuple[int, list[Term]]:
    """How many words from this place on belong together, and what may stand for them; one word
    for which nothing else may if none of the swaps begins here."""
    here = [swap for swap in swaps if swap.start == place]
    length = max((swap.length for swap in here), default=1)
    return length, [term for swap in here if swap.length == length for term in swap.others]


def replaceable(words: Sequence[str], *, groups: Iterable[Group]) -> Iterator[Replaceable]:
    """Where a term of a group stands among the words, singular or plural, in either
    spelling."""
    keys = [same_word(word) for word in words]
    for group in groups:
        for term in group:
            wanted = [same_word(word) for word in term]
            for start in range(len(keys) - len(wanted) + 1):
                if keys[start : start + len(wanted)] == wanted:
                    others = tuple(other for other in group if other != term)
                    yield Replaceable(start=start, length=len(wanted), others=others)
