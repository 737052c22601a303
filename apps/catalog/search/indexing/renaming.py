"""What a renamed category or brand means for its products: their texts and their versions.

Who renames one writes one row, whether it has three products or a hundred thousand. A worker
follows, a few products at a time, so that nobody who saves or buys one waits for long.
"""

import time

from django.db import OperationalError, connection, transaction
from django.db.models import F, QuerySet

from apps.catalog.models import Category, Product
from apps.catalog.search.models import Renaming

# Products that are locked together: for a hundredth of a second, but for half of one if each
# has fifty thousand characters and ninety attributes.
_BATCH = 10

# Whoever is writing when a renaming is first seen may not know of it. Transactions are
# numbered when they first write: all of them have a lower number than this statement, and have
# ended when none with a lower one is running. A number that this server has yet to give is of
# the server that the database was restored from.
_NOTE = """
    UPDATE search_renaming SET horizon = pg_current_xact_id()::text::bigint
    WHERE horizon IS NULL
    OR horizon >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""
# Those that nothing stood in the way of come first, and no other waits for one that is held.
_READY = """
    SELECT id FROM search_renaming
    WHERE horizon <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY failures, id
"""


def follow_renamings(*, until: float) -> int:
    """Bring new names to products, until none is left or, by time.monotonic(), `until`.

    Returns how many products there were. A renaming is left to the next run while somebody is
    writing who began before it: a product that he brings in may have the old name.
    Raises OperationalError, after all others have had their turn, if products of one are held
    by somebody or take too long: the next run takes half as many of them at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NOTE)
        cursor.execute(_READY)
        ready = [pk for (pk,) in cursor.fetchall()]
    total = 0
    failure: OperationalError | None = None
    for pk in ready:
        try:
            while time.monotonic() < until and (done := _follow(pk)):
                total += done
        except OperationalError as error:
            failure = error
            Renaming.objects.filter(pk=pk).update(failures=F("failures") + 1)
    if failure:
        raise failure
    return total


def not_followed() -> set[int]:
    """The products that new names have not come to yet."""
    return {pk for renaming in Renaming.objects.all() for pk in _products(renaming)}


@transaction.atomic
def _follow(pk: int) -> int:
    """A few products; 0 if all have followed, or another worker is at it."""
    renaming = Renaming.objects.filter(pk=pk).select_for_update(skip_locked=True).first()
    if renaming is None:
        return 0
    ids = list(_products(renaming)[: max(1, _BATCH >> renaming.failures)])
    if not ids:
        renaming.delete()
        return 0
    with connection.cursor() as cursor:
        # Versions first, for they lock the products: a text is read while nobody changes it.
        cursor.execute("SELECT search_raise(%s)", [ids])
        cursor.execute("SELECT search_refresh_texts(%s)", [ids])
    renaming.done_up_to = ids[-1]
    renaming.save(update_fields=["done_up_to"])
    return len(ids)


def _products(renaming: Renaming) -> "QuerySet[Product, int]":
    """The ids of those that have not followed, in their order."""
    products = Product.objects.filter(pk__gt=renaming.done_up_to)
    if renaming.brand_id:
        products = products.filter(brand=renaming.brand_id)
    else:
        inside = Category.objects.descendants(renaming.category_id, include_self=True)
        products = products.filter(category__in=inside)
    return products.order_by("pk").values_list("pk", flat=True)
