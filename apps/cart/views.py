"""The cart over HTTP: each call answers with the whole cart."""

from typing import Any

from django.db import IntegrityError
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.identity import CustomerMixin, customer_of, guest_cookie, guest_of
from apps.accounts.models import Customer, User
from apps.cart.models import Cart, Contents
from apps.cart.serializers import AddItemSerializer, CartSerializer, SetQuantitySerializer
from shop.errors import NotFound
from shop.schema import problems

_CART = OpenApiExample(
    "A cart with one item",
    {
        "items": [
            {
                "id": 4,
                "product_id": 17,
                "variant_id": 31,
                "sku": "MUG-BLUE",
                "name": "Enamel mug, Blue",
                "quantity": 2,
                "unit_price": "9.50",
                "price_when_added": "9.00",
                "line_total": "19.00",
                "available": 12,
                "problems": ["price_changed"],
            }
        ],
        "total": "19.00",
        "currency": "EUR",
        "item_count": 2,
    },
    response_only=True,
)
_TOO_MUCH = "Code `invalid`: `errors` names the fields. Code `cart_limit`: more than fits."
_ITEM_ID = OpenApiParameter("item_id", int, OpenApiParameter.PATH)


class ShopperMixin(CustomerMixin):
    """For views about a cart or orders: whose, a guest's merged into those of who logs in."""

    _guest_is_gone = False

    def shopper(self, request: Request) -> Customer | None:
        """Whose they are, or None for somebody who has not put anything anywhere yet."""
        customer = customer_of(request)
        if customer is not None and isinstance(request.user, User):
            self._merge(request, customer)
        return customer

    def _merge(self, request: Request, customer: Customer) -> None:
        if guest_cookie() in request.COOKIES:
            guest = guest_of(request)
            if guest is not None:
                Cart(customer=customer).absorb(guest)
            self._guest_is_gone = True

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Called by the framework with every answer, also with errors."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self._guest_is_gone:
            answer.delete_cookie(guest_cookie(), samesite="Lax")
        return answer


class CartView(ShopperMixin, APIView):
    @extend_schema(
        tags=["cart"],
        summary="The cart at today's prices",
        description="Of the account, or of the guest that the cookie names; empty if neither"
        " has one. The first call about the cart or orders that an account makes with a"
        " guest's cookie moves the guest's items, addresses and orders to the account and takes"
        " the cookie away.",
        responses={200: CartSerializer},
        examples=[_CART],
    )
    def get(self, request: Request) -> Response:
        customer = self.shopper(request)
        return _rendered(Cart(customer=customer).contents() if customer else Contents())


class CartItemsView(ShopperMixin, APIView):
    @extend_schema(
        tags=["cart"],
        summary="Add to the cart",
        description="On top of what is there of the same variant. Works without an account"
        " and then sets the cookie `guest` (by HTTPS `__Host-guest`). Nothing is reserved until"
        " the order is placed.",
        request=AddItemSerializer,
        responses={
            201: CartSerializer,
            **problems(
                s400=_TOO_MUCH,
                s404="No such product or variant on sale.",
                s429="Too many new guests; try again after `Retry-After` seconds.",
            ),
        },
        examples=[
            OpenApiExample(
                "Two blue mugs",
                {"product_id": 17, "variant_id": 31, "quantity": 2},
                request_only=True,
            ),
            _CART,
        ],
    )
    def post(self, request: Request) -> Response:
        item = AddItemSerializer(data=request.data)
        item.is_valid(raise_exception=True)
        customer = self.shopper(request) or self.customer(request)
        try:
            contents = Cart(customer=customer).add(**item.validated_data)
        except IntegrityError:
            # A standby, or a moment ago the primary, knew it; now it is deleted.
            raise NotFound("There is no such product or variant.") from None
        return _rendered(contents, status.HTTP_201_CREATED)


class CartItemView(ShopperMixin, APIView):
    @extend_schema(
        tags=["cart"],
        summary="Set an item's quantity",
        parameters=[_ITEM_ID],
        request=SetQuantitySerializer,
        responses={200: CartSerializer, **problems(s400=_TOO_MUCH)},
        examples=[OpenApiExample("Three of them", {"quantity": 3}, request_only=True), _CART],
    )
    def patch(self, request: Request, item_id: int) -> Response:
        wanted = SetQuantitySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        cart = self._cart(request)
        return _rendered(cart.set_quantity(item_id, **wanted.validated_data))

    @extend_schema(
        tags=["cart"],
        summary="Take an item out",
        parameters=[_ITEM_ID],
        responses={200: CartSerializer},
        examples=[_CART],
    )
    def delete(self, request: Request, item_id: int) -> Response:
        return _rendered(self._cart(request).remove(item_id))

    def _cart(self, request: Request) -> Cart:
        customer = self.shopper(request)
        if customer is None:
            raise NotFound("There is no such item in the cart.")
        return Cart(customer=customer)


def _rendered(contents: Contents, code: int = status.HTTP_200_OK) -> Response:
    return Response(CartSerializer(contents).data, status=code)
