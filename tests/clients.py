"""Clients of the API for tests, each with a cookie jar of its own; they send JSON."""

from typing import Any

from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from apps.accounts.models import Customer
from apps.catalog.models import Variant

CART = "/api/orders/cart/"
ITEMS = "/api/orders/cart/items/"
ORDERS = "/api/orders/orders/"
PLACE_ORDER = "/api/orders/orders/create/"


class JsonClient(APIClient):
    default_format = "json"


def guest() -> JsonClient:
    return JsonClient()


def logged_in(customer: Customer) -> JsonClient:
    """A client with the customer's own token, like one that came from the login."""
    client = JsonClient()
    log_in(client, customer)
    return client


def log_in(client: JsonClient, customer: Customer) -> None:
    """From now on the client sends the customer's token, beside the cookies that it has."""
    assert customer.user is not None
    token = AccessToken.for_user(customer.user)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")


def item(variant: Variant, quantity: Any = 1) -> dict[str, Any]:
    return {
        "product_id": variant.product_id,
        "variant_id": variant.pk,
        "quantity": quantity,
    }


def order_form(address_id: int, **fields: Any) -> dict[str, Any]:
    return {
        "shipping_address_id": address_id,
        "billing_address_id": address_id,
        "payment_method": "cod",
        **fields,
    }
