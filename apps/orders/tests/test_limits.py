"""How often one address may order."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from tests.builders import make_address, make_customer
from tests.clients import CART, PLACE_ORDER, logged_in, order_form
from tests.limits import forget_calls

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _low_rate(settings: Settings) -> Iterator[None]:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"checkout": 2}
    yield
    forget_calls()


def test_refuses_the_third_order_of_an_address_in_a_minute_but_shows_the_cart() -> None:
    ada = make_customer()
    client, form = logged_in(ada), order_form(make_address(ada).pk)
    there: Any = {"REMOTE_ADDR": "192.0.2.1"}
    codes = [client.post(PLACE_ORDER, form, **there).json()["code"] for _ in range(3)]
    assert codes == ["empty_cart", "empty_cart", "throttled"]
    answer = client.post(PLACE_ORDER, form, **there)
    assert (answer.status_code, "Retry-After" in answer) == (429, True)
    assert client.get(CART, **there).status_code == 200
    elsewhere = client.post(PLACE_ORDER, form, REMOTE_ADDR="192.0.2.2")
    assert elsewhere.json()["code"] == "empty_cart"
