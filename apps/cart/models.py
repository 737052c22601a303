"""What a customer may buy: one cart each, kept in PostgreSQL because checkout must lock it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from apps.accounts.models import Customer
from apps.catalog.models import Variant
from shop.errors import NotFound, ShopError
from shop.money import to_money


class CartLimit(ShopError):
    """More than a cart may hold: too many units of one variant, or too many items."""

    code = "cart_limit"
    http_status = 400


def check_quantity(quantity: int) -> None:
    """Raises CartLimit for more units of one variant than a cart may hold."""
    if quantity > settings.CART_MAX_QUANTITY:
        raise CartLimit(f"At most {settings.CART_MAX_QUANTITY} units of one item.")


@dataclass(frozen=True)
class Contents:
    """What a cart holds, at today's prices."""

    items: "Sequence[CartItem]" = ()

    @property
    def total(self) -> Decimal:
        return sum((item.line_total for item in self.items), Decimal("0.00"))

    @property
    def currency(self) -> str:
        return settings.SHOP_CURRENCY

    @property
    def item_count(self) -> int:
        """Units, not lines: the number beside the cart's picture."""
        return sum(item.quantity for item in self.items)


class Cart(models.Model):
    """Known by its customer: `Cart(customer=ada).add(...)` makes the row at first need.

    Every verb locks the row first, so that changes and checkout wait for each other, and
    returns what the cart holds afterwards.
    """

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="cart")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"cart of {self.customer}"

    def contents(self) -> Contents:
        return Contents(self._items())

    @transaction.atomic
    def add(self, variant: Variant, *, quantity: int) -> Contents:
        """Put units of the variant in, on top of what is there; raises CartLimit.

        Adding is not a reservation: it holds no stock and may exceed what is available.
        """
        self._lock()
        items = self._items()
        item = next((item for item in items if item.variant_id == variant.pk), None)
        if item is None:
            _check_number(len(items) + 1)
            item = CartItem(cart=self, variant=variant, quantity=0)
            items.append(item)
        check_quantity(item.quantity + quantity)
        item.quantity += quantity
        item.unit_price = variant.price
        item.save()
        return Contents(items)

    @transaction.atomic
    def set_quantity(self, item_id: int, *, quantity: int) -> Contents:
        """Have exactly so many units, zero removes; raises CartLimit or NotFound."""
        check_quantity(quantity)
        self._lock()
        items = self._items()
        item = next((item for item in items if item.pk == item_id), None)
        if item is None:
            raise NotFound("There is no such item in the cart.")
        if quantity == 0:
            item.delete()
            return self.contents()
        item.quantity = quantity
        item.save(update_fields=["quantity"])
        return Contents(items)

    def remove(self, item_id: int) -> Contents:
        """Take the item out; raises NotFound."""
        return self.set_quantity(item_id, quantity=0)

    @transaction.atomic
    def absorb(self, guest: Customer) -> None:
        """Take over all that a guest has: items, addresses and orders; the token dies.

        Quantities and addresses add up as far as the limits go.
        """
        # Always the user's cart before the guest's, so that two requests cannot deadlock.
        self._lock()
        theirs = Cart.objects.select_for_update().filter(customer=guest).first()
        # Waits for an address that the guest is adding. Who asks later is no guest any more.
        Customer.objects.filter(pk=guest.pk).update(token_hash=None)
        if theirs is not None:
            self._take_items(theirs)
            theirs.delete()
        self.customer.take_addresses(guest)
        self._take_orders(guest)

    def _take_items(self, theirs: "Cart") -> None:
        mine = {item.variant_id: item for item in self._items()}
        doubled: list[CartItem] = []
        moved: list[int] = []
        for item in theirs._items():
            if item.variant_id in mine:
                own = mine[item.variant_id]
                own.quantity = min(own.quantity + item.quantity, settings.CART_MAX_QUANTITY)
                doubled.append(own)
            elif len(mine) + len(moved) < settings.CART_MAX_ITEMS:
                moved.append(item.pk)
        CartItem.objects.bulk_update(doubled, ["quantity"])
        CartItem.objects.filter(pk__in=moved).update(cart=self)

    def _take_orders(self, guest: Customer) -> None:
        """Move the guest's orders; a key that both have used stays with the user's order."""
        used = self.customer.orders.filter(idempotency_key__isnull=False)
        doubled = guest.orders.filter(idempotency_key__in=used.values("idempotency_key"))
        doubled.update(idempotency_key=None)
        guest.orders.update(customer=self.customer)

    def _items(self) -> "list[CartItem]":
        """Oldest first, with all that is needed to price and show them."""
        items = CartItem.objects.filter(cart__customer=self.customer_id)
        return list(items.select_related("variant__product", "variant__stock").order_by("pk"))

    def _lock(self) -> None:
        """Make the row or lock the one that is there, in one statement, until the commit."""
        row = Cart(customer_id=self.customer_id)
        Cart.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["customer"],
            update_fields=["updated_at"],
        )
        self.pk = row.pk


def _check_number(items: int) -> None:
    if items > settings.CART_MAX_ITEMS:
        raise CartLimit(f"At most {settings.CART_MAX_ITEMS} different items in a cart.")


class CartItem(models.Model):
    """One variant in a cart. The price that counts is the variant's at checkout."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="items")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(
        max_digits=12, decimal_places=2, help_text="The price when it was added."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cart", "variant"], name="one_item_per_variant"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="item_has_a_quantity"),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0), name="item_price_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.variant}"

    @property
    def line_total(self) -> Decimal:
        """What the item costs at today's price."""
        return to_money(self.variant.price * self.quantity)

    @property
    def available(self) -> int:
        """Units that checkout could hold now; none of what is no longer sold."""
        if not self.variant.is_on_sale or not hasattr(self.variant, "stock"):
            return 0
        return self.variant.stock.available

    @property
    def problems(self) -> list[str]:
        """Codes of what the shopper should know before ordering."""
        if not self.variant.is_on_sale:
            return ["not_sold"]
        problems = []
        if self.variant.price != self.unit_price:
            problems.append("price_changed")
        if self.available == 0:
            problems.append("out_of_stock")
        elif self.available < self.quantity:
            problems.append("short_stock")
        return problems
