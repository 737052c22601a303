"""Clients of the API for tests, each with a cookie jar of its own."""

from typing import Any

from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from apps.accounts.models import Customer


def guest() -> APIClient:
    return APIClient()


def logged_in(customer: Customer) -> APIClient:
    """A client with the customer's own token, like one that came from the login."""
    client = APIClient()
    log_in(client, customer)
    return client


def log_in(client: APIClient, customer: Customer) -> None:
    assert customer.user is not None
    token = AccessToken.for_user(customer.user)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")


def order_body(address_id: int, **fields: Any) -> dict[str, Any]:
    return {
        "shipping_address_id": address_id,
        "billing_address_id": address_id,
        "payment_method": "cod",
        **fields,
    }
