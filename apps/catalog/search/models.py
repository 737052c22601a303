"""What search keeps in PostgreSQL: what an index does not know yet, which indexes there are,
and what the shopkeeper knows better than the ranking."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models, transaction
from django.db.models import F, Q

from apps.catalog.models import Brand, Category, Product

# Longer than a request to the engine takes, and short enough that a dead worker's products are
# not late. Who is slower than this writes the same once more, which changes nothing.
_CLAIMED_FOR = timedelta(seconds=15)
# A product that is too much for the engine all alone.
_SET_ASIDE_FOR = timedelta(minutes=10)


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

        Those that were too much for the engine come after all others and are fewer each time.
        Waits for nobody, and nothing stays locked: a slow engine must not hold up who saves
        one of them.
        """
        is_free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        free = self.filter(is_free).order_by("halvings", "dirty_since", "pk")
        with transaction.atomic():
            rows = list(free.select_for_update(skip_locked=True)[:limit])
            if rows:
                halvings = rows[0].halvings
                rows = [row for row in rows if row.halvings == halvings]
                rows = rows[: max(1, limit >> halvings)]
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
            self.filter(pk__in=versions.keys() - set(done)).update(claimed_until=None)
        return len(done)

    def halve(self, claimed: Collection[int], *, now: datetime) -> None:
        """They are too much for the engine together: half as many come at once from here on.

        One alone is set aside for some minutes, and comes again: so that it blocks no other,
        and that no accident is for ever.
        """
        until = now + _SET_ASIDE_FOR if len(claimed) == 1 else None
        self.filter(pk__in=claimed).update(halvings=F("halvings") + 1, claimed_until=until)

    def mark(self, known: Mapping[int, int]) -> None:
        """Mark these products, each with a version above its own and above the one given."""
        with connection.cursor() as cursor:
            cursor.execute(_MARK, [list(known), list(known.values())])

    def mark_gone(self, versions: Mapping[int, int]) -> None:
        """Mark products that are no more; the versions are those of what is left of them."""
        rows = [DirtyProduct(pk=pk, version=version) for pk, version in versions.items()]
        self.bulk_create(
            rows, update_conflicts=True, update_fields=["version"], unique_fields=["product_id"]
        )


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

    halvings = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="How often it was among more than the engine could take at once.",
    )

    objects = DirtyProductQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["halvings", "dirty_since"], name="dirty_by_turn")]

    def __str__(self) -> str:
        too_much = ", too much for the engine" if self.halvings else ""
        return f"product {self.product_id}, version {self.version}{too_much}"


class Renaming(models.Model):
    """A category or brand that was renamed or moved, which its products have to follow.

    A trigger writes it in the transaction of the change. It cannot name the products: another
    transaction may be bringing one in, with the old name, that nobody can see before it ends.
    """

    category_id = models.BigIntegerField(null=True, blank=True)
    brand_id = models.BigIntegerField(null=True, blank=True)
    renamed_at = models.DateTimeField(db_default=models.functions.Now())
    horizon = models.BigIntegerField(
        null=True, blank=True, help_text="A transaction below it may not know the new name."
    )
    done_up_to = models.BigIntegerField(
        default=0, db_default=0, help_text="Products up to this one have followed."
    )

    def __str__(self) -> str:
        return f"category {self.category_id}" if self.category_id else f"brand {self.brand_id}"


class SearchIndex(models.Model):
    """An index of the engine that `init_search` has made."""

    class State(models.TextChoices):
        BUILDING = "building", "building"
        LIVE = "live", "live"
        OLD = "old", "old"  # kept up to date for a while, to go back to
        DROPPED = "dropped", "dropped"
        FAILED = "failed", "failed"

    # Every change is written to all of these.
    WRITTEN = (State.BUILDING, State.LIVE, State.OLD)

    name = models.CharField(max_length=100)
    state = models.CharField(max_length=8, choices=State, default=State.BUILDING)
    mapping_hash = models.CharField(max_length=16, help_text="Of the mapping it was made with.")
    documents = models.PositiveIntegerField(
        default=0, help_text="Products read into it, as it grows, until it went live."
    )
    started_at = models.DateTimeField()
    live_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "search indexes"
        constraints = [
            models.UniqueConstraint(fields=["name"], name="one_search_index_per_name"),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="live"), name="one_search_index_is_live"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class Synonym(models.Model):
    """Words that mean the same to a shopper: who searches for one finds the others."""

    REPLICA_OK = True

    terms = models.CharField(
        max_length=500, help_text="With commas between them: sofa, couch, settee."
    )
    is_active = models.BooleanField("active", default=True)

    def __str__(self) -> str:
        return self.terms


class Boost(models.Model):
    """Moves products up or down in the results of a query, or of every query."""

    REPLICA_OK = True

    query = models.CharField(
        max_length=200, blank=True, help_text="In any order and case; empty: every query."
    )
    product = models.ForeignKey(Product, on_delete=models.CASCADE, null=True, blank=True)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, null=True, blank=True)
    category = models.ForeignKey(
        Category,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        help_text="And all that is inside it.",
    )
    factor = models.FloatField(
        default=2,
        validators=[MinValueValidator(0.1), MaxValueValidator(10)],
        help_text="What the score is multiplied by: 2 moves up, 0.5 moves down.",
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(product__isnull=False, brand=None, category=None)
                | Q(product=None, brand__isnull=False, category=None)
                | Q(product=None, brand=None, category__isnull=False),
                name="boost_has_one_target",
                violation_error_message="Choose a product, a brand or a category: one of them.",
            ),
            models.CheckConstraint(
                condition=Q(factor__gte=0.1, factor__lte=10),
                name="boost_factor_is_between_0_1_and_10",
            ),
        ]

    def __str__(self) -> str:
        target = self.product or self.brand or self.category
        return f"{target} × {self.factor:g}"


class SearchText(models.Model):
    """What PostgreSQL searches in for one product, whether it is on sale or not.

    Triggers write it in the transaction of the change, and delete it with its product.
    """

    REPLICA_OK = True

    product = models.OneToOneField(
        Product, on_delete=models.DO_NOTHING, primary_key=True, db_constraint=False
    )
    # A: name, variants, SKUs. B: brand, category and those around it. C: attributes that have
    # one short value, so that they say what it is. D: all other text, which mentions things.
    words = SearchVectorField(help_text="Stems, weighted.")
    written = SearchVectorField(help_text="What A, B and C say, as it is written.")
    name_length = models.PositiveSmallIntegerField(help_text="Stems of A.")
    facets = ArrayField(models.TextField(), help_text="“Colour:Red”, if short.")

    class Meta:
        indexes = [
            GinIndex(fields=["words"], name="search_by_words"),
            GinIndex(fields=["written"], name="search_by_written_words"),
        ]

    def __str__(self) -> str:
        return f"product {self.product_id}"


class Stem(models.Model):
    """How many of the products on sale have it: the fewer, the more it says.

    The empty stem stands for all of them. Both vocabularies are counted by vocabulary.py.
    """

    REPLICA_OK = True

    stem = models.TextField(primary_key=True)
    products = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.stem


class Word(models.Model):
    """A word that a product on sale is described by: what a typo may have meant."""

    REPLICA_OK = True

    word = models.TextField(primary_key=True)
    products = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.word
