"""What is dirty, brought into every index that is written.

A worker reads each product anew and from the primary, so that what it writes is never older
than the mark, and forgets the mark only if the product has not changed since.
"""

from apps.catalog.search.models import DirtyProduct
from shop.clock import database_time

_BATCH = 500


def drain_batch() -> int:
    """Bring up to 500 dirty products into the indexes; returns how many there were.

    Without an index to write to they are only forgotten: `init_search` reads every product.
    """
    claimed = DirtyProduct.objects.claim(limit=_BATCH, now=database_time())
    DirtyProduct.objects.settle(claimed)
    return len(claimed)
