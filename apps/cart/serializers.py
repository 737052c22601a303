"""What goes into a cart and how a cart looks, as JSON."""

from typing import Any

from rest_framework import serializers

from apps.cart.models import CartItem, check_quantity
from apps.catalog.models import Product, Variant, VariantQuerySet
from shop.errors import NotFound
from shop.fields import IdField, WholeNumberField
from shop.routing.scope import read_from_replica

PROBLEMS = ["price_changed", "out_of_stock", "short_stock", "not_sold"]


class AddItemSerializer(serializers.Serializer[Any]):
    """A variant that is on sale, and how many units of it."""

    product_id = IdField()
    variant_id = IdField(
        required=False, help_text="May be left out if the product has one variant."
    )
    quantity = WholeNumberField(default=1, min_value=1)

    def validate_quantity(self, quantity: int) -> int:
        check_quantity(quantity)
        return quantity

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        product_id, variant_id = attrs["product_id"], attrs.get("variant_id")
        variant = _seen(product_id, variant_id)
        # What Cart.add takes.
        return {"variant": variant, "quantity": attrs["quantity"]}


def _seen(product_id: int, variant_id: int | None) -> Variant:
    """Looked up where it was seen: checkout asks again what it costs and if it is there."""

    def look_up() -> Variant:
        if variant_id is None:
            return _only_variant(product_id)
        return _variant(variant_id, product_id=product_id)

    return read_from_replica(look_up, unless=NotFound)


def _variant(variant_id: int, *, product_id: int) -> Variant:
    variant = _sold().filter(pk=variant_id).first()
    if variant is not None and variant.product_id == product_id:
        return variant
    if variant is None or not Product.objects.published().filter(pk=product_id).exists():
        raise NotFound("There is no such product or variant.")
    raise serializers.ValidationError({"variant_id": ["It is a variant of another product."]})


def _only_variant(product_id: int) -> Variant:
    variants = list(_sold().filter(product=product_id).order_by("pk"))
    if not variants:
        raise NotFound("There is no such product or variant.")
    if len(variants) > 1:
        choices = ", ".join(f"{variant.pk} ({variant.sku})" for variant in variants)
        raise serializers.ValidationError({"variant_id": [f"Choose one of {choices}."]})
    return variants[0]


def _sold() -> VariantQuerySet:
    return Variant.objects.on_sale().select_related("product", "stock")


class SetQuantitySerializer(serializers.Serializer[Any]):
    quantity = WholeNumberField(min_value=0, help_text="Zero removes the item.")


class CartItemSerializer(serializers.ModelSerializer[CartItem]):
    product_id = serializers.IntegerField(source="variant.product_id")
    sku = serializers.CharField(source="variant.sku")
    name = serializers.CharField(source="variant.full_name")
    unit_price = serializers.DecimalField(
        12, 2, source="variant.price", help_text="The price of today."
    )
    price_when_added = serializers.DecimalField(12, 2, source="unit_price")
    line_total = serializers.DecimalField(None, 2)
    available = serializers.IntegerField(help_text="Units that could be ordered now.")
    problems = serializers.ListField(
        child=serializers.ChoiceField(choices=PROBLEMS),
        help_text="What to know before ordering; an item may have several.",
    )

    class Meta:
        model = CartItem
        fields = [
            "id",
            "product_id",
            "variant_id",
            "sku",
            "name",
            "quantity",
            "unit_price",
            "price_when_added",
            "line_total",
            "available",
            "problems",
        ]
        read_only_fields = fields


class CartSerializer(serializers.Serializer[Any]):
    items = CartItemSerializer(many=True)
    total = serializers.DecimalField(None, 2)
    currency = serializers.CharField()
    item_count = serializers.IntegerField(help_text="Units of all items together.")
