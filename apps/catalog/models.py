"""What the shop sells: categories, brands, products, variants, and the stock ledger."""

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Lower
from tree_queries.fields import TreeNodeForeignKey
from tree_queries.models import TreeNode


def _slug_has_a_letter(model: str) -> models.CheckConstraint:
    # An address names a row by its id or its slug: nothing may be both.
    return models.CheckConstraint(
        condition=Q(slug__regex="[A-Za-z]"),
        name=f"{model}_slug_has_a_letter",
        violation_error_message="A slug needs a letter: without one it could be an id.",
    )


class Category(TreeNode):  # type: ignore[misc]  # the library carries no types
    """A shelf, which may stand inside another one."""

    REPLICA_OK = True

    parent = TreeNodeForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    name: "models.CharField[str, str]" = models.CharField(max_length=100)
    slug: "models.SlugField[str, str]" = models.SlugField(max_length=110)

    class Meta:
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="one_category_per_slug"),
            _slug_has_a_letter("category"),
        ]

    def __str__(self) -> str:
        return self.name


class Brand(models.Model):
    REPLICA_OK = True

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=110)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="one_brand_per_slug"),
            _slug_has_a_letter("brand"),
        ]

    def __str__(self) -> str:
        return self.name


class ProductQuerySet(models.QuerySet["Product"]):
    def published(self) -> "ProductQuerySet":
        return self.filter(is_published=True)

    def on_sale(self) -> "ProductQuerySet":
        """Published products with something to buy, in stock or not."""
        return self.published().with_a(Variant.objects.filter(is_active=True))

    def in_stock(self) -> "ProductQuerySet":
        """Products of which at least one variant can be bought now."""
        return self.with_a(Variant.objects.in_stock())

    def with_a(self, variants: "VariantQuerySet") -> "ProductQuerySet":
        """Products of which at least one variant is among `variants`."""
        return self.filter(_exists(variants))

    def without_a(self, variants: "VariantQuerySet") -> "ProductQuerySet":
        return self.filter(~_exists(variants))

    def with_price(self) -> "ProductQuerySet":
        """Adds `price_from`, the lowest price, to order by."""
        # An aggregate and no subquery: paging compares it several times, and it is one pass.
        lowest = models.Min("variants__price", filter=Q(variants__is_active=True))
        return self.annotate(price_from=lowest)

    def with_variants(self) -> "ProductQuerySet":
        """Adds `offers`, the variants that can be seen, cheapest first, in one statement."""
        offers = Variant.objects.filter(is_active=True).with_available()
        return self.prefetch_related(
            models.Prefetch("variants", offers.order_by("price", "pk"), to_attr="offers")
        )

    def with_available(self) -> "ProductQuerySet":
        """Adds `available`, the units of all active variants that can still be promised.

        To be shown: on a page it comes from a standby and may be seconds old. What an order
        gets is decided by inventory.py, on the primary.
        """
        stock = StockItem.objects.filter(
            variant__product=models.OuterRef("pk"), variant__is_active=True
        )
        units = stock.values("variant__product").values(
            units=models.Sum(F("on_hand") - F("reserved"))
        )
        return self.annotate(available=Coalesce(models.Subquery(units), 0))


def _exists(variants: "VariantQuerySet") -> models.Exists:
    return models.Exists(variants.filter(product=models.OuterRef("pk")))


class Product(models.Model):
    """What a page describes; what is bought is one of its variants."""

    REPLICA_OK = True

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=210)
    description = models.TextField(blank=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="products"
    )
    attributes = models.JSONField(
        default=dict,
        blank=True,
        db_default=models.Value({}, output_field=models.JSONField()),
        help_text="What it is like, by name: {“Colour”: [“Red”, “Blue”]}.",
    )
    is_published = models.BooleanField("published", default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    popularity = models.FloatField(
        default=0, db_default=0, editable=False, help_text="0 to 1: how much of it is sold."
    )
    # Grows with every change that a search index has to know of: apps/catalog/search.
    search_version = models.BigIntegerField(default=1, db_default=1, editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="one_product_per_slug"),
            _slug_has_a_letter("product"),
            models.CheckConstraint(
                condition=Q(popularity__gte=0, popularity__lte=1),
                name="popularity_is_between_0_and_1",
            ),
        ]
        indexes = [
            models.Index(
                fields=["name", "id"], condition=Q(is_published=True), name="product_by_name"
            ),
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(is_published=True),
                name="product_by_newest",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class VariantQuerySet(models.QuerySet["Variant"]):
    def on_sale(self) -> "VariantQuerySet":
        """Variants that a shopper may see and buy, in stock or not."""
        return self.filter(is_active=True, product__is_published=True)

    def in_stock(self) -> "VariantQuerySet":
        return self.filter(is_active=True, stock__on_hand__gt=F("stock__reserved"))

    def with_available(self) -> "VariantQuerySet":
        """Adds `available`, the units that can still be promised; to be shown, may be late."""
        return self.annotate(available=Coalesce(F("stock__on_hand") - F("stock__reserved"), 0))


class Variant(models.Model):
    """What can be bought: one SKU at one price."""

    REPLICA_OK = True  # to be shown; checkout reads the price on the primary

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="variants")
    sku = models.CharField("SKU", max_length=64)
    name = models.CharField(max_length=100, blank=True, help_text="For example “Red, M”.")
    price = models.DecimalField(
        max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    is_active = models.BooleanField("active", default=True)

    objects = VariantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("sku"),
                name="one_variant_per_sku",
                violation_error_message="Another variant has this SKU.",
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="price_is_not_negative"),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def full_name(self) -> str:
        """The product's name with the variant's, as a parcel's list shows it."""
        return f"{self.product.name}, {self.name}" if self.name else self.product.name

    @property
    def is_on_sale(self) -> bool:
        return self.is_active and self.product.is_published


class StockItem(models.Model):
    """One variant's totals. Only apps/catalog/inventory.py changes them."""

    variant = models.OneToOneField(
        Variant, on_delete=models.PROTECT, primary_key=True, related_name="stock"
    )
    on_hand = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reserved__gte=0, reserved__lte=F("on_hand")),
                name="stock_never_oversold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant}: {self.available} available"

    @property
    def available(self) -> int:
        """Units that can still be promised to somebody."""
        return self.on_hand - self.reserved


class StockMovement(models.Model):
    """One line of the append-only ledger; a database trigger refuses changes to it."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt", "receipt"
        CORRECTION = "correction", "correction"
        RESERVATION = "reservation", "reservation"
        RELEASE = "release", "release"
        SALE = "sale", "sale"
        RESTOCK = "restock", "restock"

    # What one unit of each kind does to (on hand, reserved).
    EFFECT: ClassVar[dict[str, tuple[int, int]]] = {
        Kind.RECEIPT: (+1, 0),
        Kind.CORRECTION: (+1, 0),
        Kind.RESERVATION: (0, +1),
        Kind.RELEASE: (0, -1),
        Kind.SALE: (-1, -1),
        Kind.RESTOCK: (+1, 0),
    }

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=11, choices=Kind)
    quantity = models.IntegerField(help_text="Units; negative only for a correction.")
    reference = models.CharField(
        max_length=64, help_text="Who moved it: an order, a delivery note."
    )
    reason = models.CharField(max_length=200, blank=True)
    booked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "variant", "kind"], name="one_movement_per_reference"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "receipt",
                        "correction",
                        "reservation",
                        "release",
                        "sale",
                        "restock",
                    ]
                ),
                name="movement_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0) | (Q(kind="correction") & ~Q(quantity=0)),
                name="movement_moves_something",
            ),
            models.CheckConstraint(
                condition=~Q(kind="correction") | ~Q(reason=""), name="correction_has_a_reason"
            ),
        ]
        indexes = [models.Index(fields=["variant", "-id"], name="movement_by_variant")]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity} ({self.reference})"
