"""What is looked for, and words for what is made for it: a laptop lock is no laptop.

PostgreSQL's `search_for_what` knows these words, and what it says of each product is kept. Who
changes them makes the function and the rows of `SearchText` anew in a migration; an engine then
needs `init_search`.
"""

from collections.abc import Sequence
from itertools import takewhile

from apps.catalog.search.spellings import plural
from apps.catalog.search.words import words_of, words_typed

# Not what the thing itself may be called as well (a toner cartridge, a vacuum cleaner), nor
# what it is praised for (a soft grip, a long sleeve).
_REGULAR = (
    "accessory arm backpack bag battery bracket cabinet cable cap case casing charger cooler"
    " cord cover cradle dock enclosure filter folio holder holster hood label lamp lanyard lock"
    " mat mount pad part pillow protector remote rest riser roller spare stand strap tray"
    " trolley wallet warranty"
)
_IRREGULAR = ["pouch", "pouches", "shelf", "shelves"]
_SINGULAR = _REGULAR.split()
PARTS = frozenset([*_SINGULAR, *map(plural, _SINGULAR), *_IRREGULAR])
# What stands behind says of what it is for, or what comes with it.
_BEHIND = {"for", "with", "without"}


def thing_of(q: str) -> str | None:
    """The word that says what somebody looks for. None if it is a part: no thing should come
    before it."""
    words = words_of(" ".join(takewhile(lambda word: word not in _BEHIND, words_typed(q))))
    return last_name(words) if words and PARTS.isdisjoint(words) else None


def last_name(words: Sequence[str]) -> str:
    """In English the last of several words says what a thing is, and what has a digit says
    which one: the last without a digit, if there is one."""
    plain = [word for word in words if not any(map(str.isdigit, word))]
    return (plain or words)[-1]
