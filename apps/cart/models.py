"""What a customer may buy: one cart each, kept in PostgreSQL because checkout must lock it."""

from django.db import models
from django.db.models import Q

from apps.accounts.models import Customer
from apps.catalog.models import Variant


class Cart(models.Model):
    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="cart")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"cart of {self.customer}"


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
