"""What the indexes do not know yet, and whose turn it is."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from django.db import connection, models, transaction
from django.db.models import Q

from shop.batches import batched

# Longer than a request to the engine takes, and short enough that a dead worker's products are
# not late. Who is slower than this writes the same once more, which changes nothing.
_CLAIMED_FOR = timedelta(seconds=15)
# A product that is too much for the engine all alone.
_SET_ASIDE_FOR = timedelta(minutes=10)

_MARKED_AT_ONCE = 500
# The trigger on the products marks them.
_MARK = """
    WITH known AS (
        SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS known (id, version)
    ), locked AS MATERIALIZED (
        SELECT product.id, known.version
        FROM catalog_product AS product JOIN known USING (id)
        ORDER BY product.id FOR NO KEY UPDATE OF product
    )
    UPDATE catalog_product AS product
    SET search_version = greatest(product.search_version, locked.version) + 1
    FROM locked WHERE product.id = locked.id
"""


class DirtyProductQuerySet(models.QuerySet["DirtyProduct"]):
    def claim(self, *, limit: int, now: datetime) -> dict[int, int]:
        """Up to `limit` products that no other worker has, with their versions, oldest first.

        Those that were too much for the engine together come after all others, in fewer.
        Waits for nobody, and nothing stays locked: a slow engine must not hold up who saves
        one of them.
        """
        is_free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        # Nobody claims for so long: the clock was ahead then, or is that of another server now.
        was_ahead = Q(claimed_until__gt=now + _SET_ASIDE_FOR)
        free = self.filter(is_free | was_ahead).order_by(
            "-together", "dirty_since", "pk"
        )  # NULL is first
        with transaction.atomic():
            rows = list(free.select_for_update(skip_locked=True)[:limit])
            if rows:
                together = rows[0].together
                alike = [row for row in rows if row.together == together]
                rows = alike if together is None else alike[: max(1, together)]
            self.filter(pk__in=[row.pk for row in rows]).update(
                claimed_until=now + _CLAIMED_FOR
            )
        return {row.product_id: row.version for row in rows}

    def settle(self, written: Mapping[int, int]) -> int:
        """Forget these products, but for those that have changed since they were claimed.

        Returns how many are forgotten. One that is just being changed stays, unclaimed or with
        a claim that runs out.
        """
        with transaction.atomic():
            rows = self.filter(pk__in=written).select_for_update(skip_locked=True)
            versions = dict(rows.order_by("pk").values_list("pk", "version"))
            done = [pk for pk, version in versions.items() if version == written[pk]]
            self.filter(pk__in=done).delete()
            changed = self.filter(pk__in=versions.keys() - set(done))
            changed.update(claimed_until=None, together=None)
        return len(done)

    def halve(self, claimed: Collection[int], *, now: datetime) -> None:
        """They are too much for the engine together: half as many come at once from here on.

        One alone is tried once more, for the engine may just have stood still; then it is set
        aside for some minutes, and comes again: so that it blocks no other, and that no
        accident is for ever. One that is just being changed comes as it was, when the claim
        has run out.
        """
        set_aside = models.Case(  # 0: it was alone before
            models.When(together=0, then=models.Value(now + _SET_ASIDE_FOR)), default=None
        )
        with transaction.atomic():
            rows = self.filter(pk__in=claimed).select_for_update(skip_locked=True)
            self.filter(pk__in=list(rows.values_list("pk", flat=True))).update(
                together=len(claimed) // 2,
                claimed_until=set_aside if len(claimed) == 1 else None,
            )

    def mark(self, known: Mapping[int, int]) -> None:
        """Mark these products, each with a version above its own and above the one given.

        Some at a time: who buys one of them waits for its lock, and a statement has its limit.
        """
        with connection.cursor() as cursor:
            for chunk in _chunks(known):
                cursor.execute(_MARK, [list(chunk), list(chunk.values())])

    def mark_gone(self, versions: Mapping[int, int]) -> None:
        """Mark products that are no more; the versions are those of what is left of them."""
        for chunk in _chunks(versions):
            self.bulk_create(
                [DirtyProduct(pk=pk, version=version) for pk, version in chunk.items()],
                update_conflicts=True,
                update_fields=["version"],
                unique_fields=["product_id"],
            )


def _chunks(versions: Mapping[int, int]) -> Iterator[dict[int, int]]:
    """By product, in the order of the ids, in which all others lock them, too."""
    return map(dict, batched(sorted(versions.items()), size=_MARKED_AT_ONCE))


class DirtyProduct(models.Model):
    """A product that changed since the indexes were last written; one row however often.

    A trigger writes it in the transaction of the change. Also for a product that is gone, so
    it is no foreign key.
    """

    product_id = models.BigIntegerField(primary_key=True)
    version = models.BigIntegerField(help_text="The product's search_version, at least.")
    dirty_since = models.DateTimeField(db_default=models.functions.Now())
    claimed_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="A worker is writing it to the indexes; it has died if that is past.",
    )
    together = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="At most so many at once, because more were too much for the engine; "
        "0 if it was alone.",
    )

    objects = DirtyProductQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-together", "dirty_since"], name="dirty_by_turn")]

    def __str__(self) -> str:
        too_much = ", too much for the engine" if self.together is not None else ""
        return f"product {self.product_id}, version {self.version}{too_much}"
