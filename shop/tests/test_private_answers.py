"""What is about one person is kept by no cache; what everybody sees may be."""

import pytest

from tests.builders import make_customer, make_variant
from tests.clients import guest, logged_in

pytestmark = pytest.mark.django_db

PRIVATE = [
    "/api/accounts/me/",
    "/api/accounts/addresses/",
    "/api/accounts/addresses/7/",
    "/api/accounts/token/",
    "/api/accounts/token/refresh/",
    "/api/accounts/token/revoke/",
    "/api/accounts/register/",
    "/api/orders/cart/",
    "/api/orders/cart/items/",
    "/api/orders/cart/items/7/",
    "/api/orders/orders/",
    "/api/orders/orders/create/",
    "/api/orders/orders/AAAAAAAAAAAA/",
    "/api/orders/orders/AAAAAAAAAAAA/cancel/",
]


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
@pytest.mark.parametrize("path", PRIVATE)
def test_may_not_be_kept_whatever_the_answer(path: str, method: str) -> None:
    for client in (guest(), logged_in(make_customer())):
        answer = getattr(client, method)(path)
        assert answer["Cache-Control"] == "private, no-store", answer.status_code


def test_the_catalogue_says_nothing_about_it() -> None:
    make_variant()
    assert "no-store" not in guest().get("/api/catalog/products/").get("Cache-Control", "")
