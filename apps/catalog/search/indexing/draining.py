"""What is dirty, brought into every index that is written.

A worker reads each product anew and from the primary, so that what it writes is never older
than the mark, and forgets the mark only if the product has not changed since.
"""

import logging

from django.conf import settings

from apps.catalog.search.engine.document import entries
from apps.catalog.search.indexing.rebuilding import is_running
from apps.catalog.search.indexing.writing import (
    WORKERS_TIMEOUT,
    TooMuch,
    indexes_in_state,
    write,
    written_indexes,
)
from apps.catalog.search.models import DirtyProduct, SearchIndex
from shop.clock import database_time

_BATCH = 500

log = logging.getLogger(__name__)


def _unimportant() -> set[str]:
    """Indexes kept to go back to, which with an older mapping may refuse what is new; and what
    a killed run has left half made, which the next one drops."""
    states = [SearchIndex.State.OLD]
    if not is_running():  # asked first: one that begins now reads all products later
        states.append(SearchIndex.State.BUILDING)
    return indexes_in_state(*states)


def drain_batch() -> int:
    """Bring up to 500 dirty products into the indexes; returns how many there were.

    Without an index to write to they are only forgotten: `init_search` reads every product.
    With indexes and without the engine's address they wait: it may be named again.
    What is too much for the engine comes again in halves.
    Raises EngineAway, and then they are tried again when the claim has run out.
    """
    if not settings.SEARCH_URL and written_indexes():
        return 0
    claimed = DirtyProduct.objects.claim(limit=_BATCH, now=database_time())
    # After the claim: an index that is made later reads these products itself.
    indexes = written_indexes() if settings.SEARCH_URL else []
    refused: set[int] = set()
    if claimed and indexes:
        found = entries(list(claimed), gone=claimed)
        try:
            refused = write(
                found, indexes=indexes, timeout=WORKERS_TIMEOUT, may_refuse=_unimportant()
            )
        except TooMuch as error:
            log.warning("search: %d products, first %d: %s", len(found), min(claimed), error)
            DirtyProduct.objects.halve(claimed, now=database_time())
            return len(claimed)
    DirtyProduct.objects.settle({pk: v for pk, v in claimed.items() if pk not in refused})
    return len(claimed)
