"""Words for what is a part of another thing, or made for one: a laptop lock is no laptop.

PostgreSQL's `search_for_what` knows them, and what it says of each product is kept. Who changes
them makes the function and the rows of `SearchText` anew in a migration; an engine then needs
`init_search`.
"""

from collections.abc import Iterable

from apps.catalog.search.spellings import plural

# Not what the thing itself may be called as well (a toner cartridge, a vacuum cleaner), nor
# what it is praised for (a soft grip).
PARTS = (
    "accessory arm backpack bag battery bracket cabinet cable cap case casing charger cooler"
    " cord cover cradle dock enclosure folio filter holder holster hood label lamp lanyard lock"
    " mat mount pad part pillow pouch protector remote rest riser roller shelf sleeve spare"
    " stand strap support tray trolley wallet warranty"
)
_EACH = PARTS.split()
_WRITTEN = frozenset([*_EACH, *map(plural, _EACH), "pouches", "shelves"])


def names_a_part(words: Iterable[str]) -> bool:
    """Whether a part is what somebody looks for, and no thing should come before it."""
    return not _WRITTEN.isdisjoint(words)
