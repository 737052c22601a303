"""What search keeps in PostgreSQL: what an index does not know yet, which indexes there are,
and what the shopkeeper knows better than the ranking."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.catalog.models import Brand, Category, Product
from apps.catalog.search.dirty import DirtyProduct as DirtyProduct  # Django looks here for it

# A change that waits for longer is stuck: a worker needs seconds.
UNINDEXED_AFTER = timedelta(minutes=5)


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
    failures = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How often its products were held, or too many."
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


class EmptySearch(models.Model):
    """A search that finds nothing, since the shop does not sell what it asks for."""

    REPLICA_OK = True

    query = models.CharField(
        max_length=200,
        help_text="A search for just these words, in any order and case, finds nothing.",
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        verbose_name_plural = "empty searches"

    def __str__(self) -> str:
        return self.query


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
    for_what = ArrayField(
        models.TextField(), help_text="Stems of what it is a part of, or made for."
    )
    facets = ArrayField(models.TextField(), help_text="“Colour:Red” and “Colour:”, if short.")

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
