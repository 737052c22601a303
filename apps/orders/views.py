"""Orders over HTTP: placing, listing, reading and cancelling one's own."""

import re

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
)
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import Customer
from apps.cart.views import ShopperMixin
from apps.orders import fulfilment
from apps.orders.checkout import EmptyCart, order_cart
from apps.orders.models import Order, OrderItem, OrderStatusChange
from apps.orders.serializers import (
    OrderFormSerializer,
    OrderSerializer,
    OrderSummarySerializer,
)
from shop import log_context
from shop.errors import PROBLEM_JSON, ShopError
from shop.paging import KeysetPagination
from shop.schema import problems
from shop.throttling import Throttle

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


_SUMMARY = {
    "order_number": "K7MX2WQ9RTHB",
    "status": "pending",
    "total": "19.00",
    "currency": "EUR",
    "placed_at": "2026-11-24T12:00:00Z",
}
_ADDRESS = {
    "full_name": "Ada Lovelace",
    "phone": "",
    "address_line1": "12 St James's Square",
    "address_line2": "",
    "city": "London",
    "state": "",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
    "country_name": "United Kingdom",
}
_ITEM = {
    "variant_id": 31,
    "sku": "MUG-BLUE",
    "name": "Enamel mug, Blue",
    "unit_price": "9.50",
    "quantity": 2,
    "line_total": "19.00",
}
_ORDER = OpenApiExample(
    "An order",
    {
        **_SUMMARY,
        "payment_method": "cod",
        "email": "ada@example.com",
        "items": [_ITEM],
        "shipping_address": _ADDRESS,
        "billing_address": _ADDRESS,
        "status_changes": [{"status": "pending", "changed_at": "2026-11-24T12:00:00Z"}],
    },
    response_only=True,
    status_codes=["200", "201"],
)
_OUT_OF_STOCK = OpenApiExample(
    "Short stock",
    {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Not enough stock of MUG-BLUE.",
        "code": "out_of_stock",
        "request_id": "0f9d3f1c2b7a4c0e8d5b6a7988776655",
        "items": [{"sku": "MUG-BLUE", "wanted": 2, "available": 1}],
    },
    response_only=True,
    status_codes=["409"],
    media_type=PROBLEM_JSON,
)
_NUMBER = OpenApiParameter(
    "order_number", str, OpenApiParameter.PATH, description="In upper or lower case."
)


class WrongKey(ShopError):
    code = "invalid_idempotency_key"
    http_status = 400


class CheckoutThrottle(Throttle):
    scope = "checkout"


class PlaceOrderView(ShopperMixin, APIView):
    throttle_classes = (CheckoutThrottle,)

    @extend_schema(
        tags=["orders"],
        summary="Order what is in the cart",
        description="All of it or nothing: the stock is held, the cart is empty afterwards and"
        " the confirmation follows by e-mail. Prices are those of this moment. Send an"
        " `Idempotency-Key` to be able to repeat the call: the same key and body answer 201"
        " with the same order and the header `Idempotent-Replayed: true`.",
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
                OpenApiParameter.HEADER,
                description="Any visible ASCII text, new for each order that is meant.",
            ),
            OpenApiParameter(
                "Idempotent-Replayed",
                {"type": "string", "enum": ["true"]},
                OpenApiParameter.HEADER,
                response=[201],
                description="The key had made this order before.",
            ),
        ],
        request=OrderFormSerializer,
        responses={
            201: OrderSerializer,
            **problems(
                s400="Code `invalid`: `errors` names the fields. Code `empty_cart`."
                " Code `invalid_idempotency_key`.",
                s404="There is no such address, or it is somebody else's.",
                s409="Code `out_of_stock`: `items` names SKU, wanted and available, and nothing"
                " was held. Code `total_changed`: `total` is the current one. Code `in_flight`:"
                " another request is working on this cart.",
                s422="Code `idempotency_key_reused`: with another body.",
                s429="Too many calls; try again after `Retry-After` seconds.",
            ),
        },
        examples=[
            OpenApiExample(
                "Cash on delivery",
                {"shipping_address_id": 1, "billing_address_id": 1, "payment_method": "cod"},
                request_only=True,
            ),
            _ORDER,
            _OUT_OF_STOCK,
        ],
    )
    def post(self, request: Request) -> Response:
        serializer = OrderFormSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        key = _idempotency_key(request)
        customer = self.shopper(request)
        if customer is None:
            raise EmptyCart("The cart is empty.")
        order, is_new = order_cart(
            serializer.form, customer=customer, idempotency_key=key, now=timezone.now()
        )
        log_context.bind(order=order.number)
        prefetch_related_objects([order], *_parts())
        headers = {} if is_new else {"Idempotent-Replayed": "true"}
        return Response(
            OrderSerializer(order).data, status=status.HTTP_201_CREATED, headers=headers
        )


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise WrongKey("An Idempotency-Key is 1 to 255 visible ASCII characters.")
    return key


@extend_schema(
    tags=["orders"],
    summary="One's own orders, newest first",
    examples=[OpenApiExample("An order", _SUMMARY, response_only=True)],
)
class OrdersView(ShopperMixin, generics.ListAPIView[Order]):
    serializer_class = OrderSummarySerializer
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[Order]:
        return _orders_of(self.shopper(self.request)).order_by("-id")


@extend_schema(
    tags=["orders"],
    summary="One order",
    parameters=[_NUMBER],
    examples=[_ORDER],
)
class OrderView(ShopperMixin, generics.RetrieveAPIView[Order]):
    serializer_class = OrderSerializer

    def get_object(self) -> Order:
        return _order_of(self.shopper(self.request), **self.kwargs)


class CancelOrderView(ShopperMixin, APIView):
    @extend_schema(
        tags=["orders"],
        summary="Cancel an order",
        description="Gives the stock back. A repeat changes nothing and answers the same.",
        parameters=[_NUMBER],
        request=None,
        responses={
            200: OrderSerializer,
            **problems(s409="Code `wrong_status`: it is too late, the parcel has left."),
        },
        examples=[_ORDER],
    )
    def post(self, request: Request, order_number: str) -> Response:
        customer = self.shopper(request)
        order = _order_of(customer, order_number=order_number)
        fulfilment.cancel(order.pk, now=timezone.now())
        return Response(OrderSerializer(_order_of(customer, order_number=order_number)).data)


def _orders_of(customer: Customer | None) -> QuerySet[Order]:
    return Order.objects.filter(customer=customer) if customer else Order.objects.none()


def _order_of(customer: Customer | None, *, order_number: str) -> Order:
    """Somebody else's order answers like one that does not exist."""
    orders = _orders_of(customer).prefetch_related(*_parts())
    order = generics.get_object_or_404(orders, number=order_number.upper())
    log_context.bind(order=order.number)
    return order


def _parts() -> "list[Prefetch[str]]":
    return [
        Prefetch("items", OrderItem.objects.order_by("pk")),
        Prefetch("status_changes", OrderStatusChange.objects.order_by("pk")),
    ]
