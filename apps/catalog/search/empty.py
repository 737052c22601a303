"""Which searches find nothing, as the shopkeeper says."""

from collections.abc import Iterable

from apps.catalog.search.models import EmptySearch
from apps.catalog.search.spellings import same_word
from apps.catalog.search.words import OF_SHOPPERS, may_be_one, words_typed


def empty_of(searches: Iterable[EmptySearch]) -> frozenset[str]:
    """The keys of those that are active."""
    return frozenset(key for each in searches if each.is_active for key in keys_of(each.query))


def keys_of(q: str) -> frozenset[str]:
    """Of two searches one key is the same if their words are, in any order, or if they are
    written as one, or with hyphens. None has a search without a word.

    All words count, also one that is not looked for: a T-shirt is no shirt. What shoppers say
    besides of everything, such as cheap, does not.
    """
    typed = [part for word in words_typed(q) for part in word.split("-")]
    words = [same_word(word) for word in typed if word not in OF_SHOPPERS]
    if not words:
        return frozenset()
    in_order = {"".join(words)} if all(map(may_be_one, words, words[1:])) else set()
    return frozenset({" ".join(sorted(words))} | in_order)
