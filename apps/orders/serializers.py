"""What orders a cart and how an order looks, as JSON."""

from typing import Any

from rest_framework import serializers

from apps.accounts.models import User
from apps.orders.checkout import OrderForm
from apps.orders.models import Order, OrderItem, OrderStatusChange
from shop.fields import EmailField, IdField


class OrderFormSerializer(serializers.Serializer[Any]):
    """Where the order goes and how it is paid; prices and totals are the shop's to say."""

    shipping_address_id = IdField()
    billing_address_id = IdField(required=False, help_text="The shipping address if left out.")
    payment_method = serializers.ChoiceField(choices=Order.PaymentMethod.choices)
    email = EmailField(
        required=False,
        help_text="Where the confirmation goes. Guests must give it; the account's otherwise.",
    )
    expected_total = serializers.DecimalField(
        14, 2, required=False, min_value=0, help_text="What the shopper agreed to pay."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = self.context["request"].user
        if "email" not in attrs and not isinstance(user, User):
            raise serializers.ValidationError(
                {"email": ["A guest must give an e-mail address."]}
            )
        defaults = {
            "billing_address_id": attrs["shipping_address_id"],
            "email": getattr(user, "email", ""),
        }
        return {**defaults, **attrs}

    @property
    def form(self) -> OrderForm:
        return OrderForm(**self.validated_data)


class OrderItemSerializer(serializers.ModelSerializer[OrderItem]):
    class Meta:
        model = OrderItem
        fields = ["variant_id", "sku", "name", "unit_price", "quantity", "line_total"]
        read_only_fields = fields


class OrderStatusChangeSerializer(serializers.ModelSerializer[OrderStatusChange]):
    status = serializers.CharField(source="new")

    class Meta:
        model = OrderStatusChange
        fields = ["status", "changed_at"]
        read_only_fields = fields


class PrintedAddressSerializer(serializers.Serializer[Any]):
    """An address as it was when the order was placed."""

    full_name = serializers.CharField()
    phone = serializers.CharField()
    address_line1 = serializers.CharField()
    address_line2 = serializers.CharField()
    city = serializers.CharField()
    state = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.CharField()
    country_name = serializers.CharField()


class OrderSummarySerializer(serializers.ModelSerializer[Order]):
    order_number = serializers.CharField(source="number")

    class Meta:
        model = Order
        fields = ["order_number", "status", "total", "currency", "placed_at"]
        read_only_fields = fields


class OrderSerializer(OrderSummarySerializer):
    items = OrderItemSerializer(many=True)
    status_changes = OrderStatusChangeSerializer(many=True)
    shipping_address = PrintedAddressSerializer()
    billing_address = PrintedAddressSerializer()

    class Meta(OrderSummarySerializer.Meta):
        fields = [
            *OrderSummarySerializer.Meta.fields,
            "payment_method",
            "email",
            "items",
            "shipping_address",
            "billing_address",
            "status_changes",
        ]
        read_only_fields = fields
