"""What is looked for, and words for what is made for it: a laptop lock is no laptop.

PostgreSQL's `search_for_what` knows these words, and what it says of each product is kept. Who
changes them writes a migration that makes the function anew, and calls `search_refresh_texts`
and `search_raise` for all products, so that an engine learns of it as well.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
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


# What the word for what is looked for counts, beside the others: printer ink is an ink.
_EMPHASIS = 2


@dataclass(frozen=True, kw_only=True)
class Thing:
    """What somebody looks for, as far as the search tells."""

    word: str | None = None  # that says what it is
    has_number: bool = False  # somewhere in the search, which may say more than the word

    def counts(self, words: Collection[str]) -> int:
        """How often some words of the search count."""
        return _EMPHASIS if self.is_said_by(words) and not self.has_number else 1

    def is_said_by(self, words: Collection[str]) -> bool:
        return self.word in words


UNSAID = Thing()


def thing_of(q: str) -> Thing:
    """What somebody looks for: without a word if none says it, or if a part is named before
    another word, which may be the thing (a label printer) or what the part is for."""
    words = words_of(" ".join(takewhile(lambda word: word not in _BEHIND, words_typed(q))))
    last = last_name(words) if words else None
    if last not in PARTS and not PARTS.isdisjoint(words):
        return UNSAID
    return Thing(word=last, has_number=any(map(str.isdigit, q)))


def last_name(words: Sequence[str]) -> str:
    """In English the last of several words says what a thing is, and what has a digit says
    which one: the last without a digit, if there is one."""
    plain = [word for word in words if not any(map(str.isdigit, word))]
    return (plain or words)[-1]
