"""What was bought: orders, their items, and every status that they went through."""

import secrets
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.accounts.models import Customer
from apps.catalog.models import Variant
from shop.errors import ShopError

# Without 0 O 1 I L U: an order number is read out on the telephone.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_order_number() -> str:
    """Twelve random characters (58 bits), so that nobody finds an order by counting."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


# From placed to confirmed takes the pipeline seconds; after this, somebody should look.
STALLED_AFTER = timedelta(minutes=5)


class Status(models.TextChoices):
    PENDING = "pending", "pending"
    CONFIRMED = "confirmed", "confirmed"
    PROCESSING = "processing", "processing"
    SHIPPED = "shipped", "shipped"
    DELIVERED = "delivered", "delivered"
    CANCELLED = "cancelled", "cancelled"
    REFUNDED = "refunded", "refunded"


class WrongStatus(ShopError):
    """The order is not, or no longer, in a status from which it may move there."""

    code = "wrong_status"


class OrderQuerySet(models.QuerySet["Order"]):
    def locked(self, order_id: int) -> "Order":
        """The order, its row locked until the transaction ends; raises Order.DoesNotExist."""
        return self.select_for_update(of=("self",)).get(pk=order_id)

    def stalled(self, *, now: datetime) -> "OrderQuerySet":
        """Orders that the pipeline should long have confirmed."""
        return self.filter(status=Status.PENDING, placed_at__lt=now - STALLED_AFTER)


class Order(models.Model):
    # The whole rule of what may follow what; docs/adr names the reasons.
    NEXT: ClassVar[dict[Status, frozenset[Status]]] = {
        Status.PENDING: frozenset({Status.CONFIRMED, Status.CANCELLED}),
        Status.CONFIRMED: frozenset({Status.PROCESSING, Status.SHIPPED, Status.CANCELLED}),
        Status.PROCESSING: frozenset({Status.SHIPPED, Status.CANCELLED}),
        Status.SHIPPED: frozenset({Status.DELIVERED}),
        Status.DELIVERED: frozenset({Status.REFUNDED}),
        Status.CANCELLED: frozenset({Status.REFUNDED}),
        Status.REFUNDED: frozenset(),
    }

    class PaymentMethod(models.TextChoices):
        CASH_ON_DELIVERY = "cod", "cash on delivery"

    number = models.CharField(max_length=12, default=new_order_number, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    email = models.EmailField(max_length=254)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    payment_method = models.CharField(max_length=3, choices=PaymentMethod)
    shipping_address = models.JSONField(help_text="Copied at checkout.")
    billing_address = models.JSONField(help_text="Copied at checkout.")
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=18, decimal_places=2)
    placed_at = models.DateTimeField()
    announced_at = models.DateTimeField(
        db_default=models.functions.Now(),
        editable=False,
        help_text="When the pipeline was last told to work on it.",
    )
    idempotency_key = models.CharField(max_length=255, null=True, editable=False)
    request_hash = models.CharField(max_length=64, blank=True, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="one_order_per_number"),
            models.UniqueConstraint(
                fields=["customer", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="one_order_per_key",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "pending",
                        "confirmed",
                        "processing",
                        "shipped",
                        "delivered",
                        "cancelled",
                        "refunded",
                    ]
                ),
                name="order_status_is_known",
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="order_total_not_negative"),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="order_by_customer"),
            models.Index(fields=["status", "placed_at"], name="order_by_status"),
            models.Index(fields=["-placed_at"], name="order_by_newest"),
            models.Index(fields=["email"], name="order_by_email"),
        ]

    def __str__(self) -> str:
        return self.number

    @staticmethod
    def id_of(reference: str) -> int:
        """The id of the order that `reference` names."""
        return int(reference.removeprefix("order-"))

    @property
    def reference(self) -> str:
        """How stock movements and e-mails name this order."""
        return f"order-{self.pk}"

    def has_been(self, status: Status) -> bool:
        """Whether the order is, or once was, in this status."""
        return self.status_changes.filter(new=status).exists()

    def move_to(self, status: Status, *, now: datetime) -> None:
        """Change the status and write the history; raises WrongStatus if NEXT forbids it.

        The only door for the status. Compare-and-swap: if somebody else was first, the
        UPDATE finds no row, whether or not the caller holds the row's lock.
        """
        old = Status(self.status)
        if status not in self.NEXT[old]:
            raise WrongStatus(f"Order {self.number} cannot go from {old} to {status}.")
        if Order.objects.filter(pk=self.pk, status=old).update(status=status) != 1:
            raise WrongStatus(f"Order {self.number} is no longer {old}.")
        self.status = status
        self.status_changes.create(old=old, new=status, changed_at=now)


class OrderItem(models.Model):
    """A copy of what was bought, at the price it was bought at."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="items")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    sku = models.CharField("SKU", max_length=64)
    name = models.CharField(max_length=310)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    quantity = models.PositiveIntegerField()
    line_total = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="bought_at_least_one"),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0), name="unit_price_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(line_total=models.F("unit_price") * models.F("quantity")),
                name="line_total_is_price_times_quantity",
            ),
        ]
        indexes = [models.Index(fields=["sku"], name="order_item_by_sku")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class OrderStatusChange(models.Model):
    """One move of an order, append-only by a database trigger."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="status_changes")
    old = models.CharField(max_length=10, choices=Status, blank=True)
    new = models.CharField(max_length=10, choices=Status)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            # No status is entered twice, so a repeated message cannot write history twice.
            models.UniqueConstraint(
                fields=["order", "new"], name="each_status_is_entered_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old or 'new'} → {self.new}"
