"""One line a request, and nothing of it in the lines of the next."""

import json
import logging
from typing import Any

import pytest
from rest_framework.test import APIClient
from structlog.contextvars import get_contextvars

from apps.accounts.models import Customer
from apps.orders.models import Order
from shop.outbox.models import OutboxMessage
from tests.builders import fill_cart, make_address, make_customer, make_variant
from tests.clients import ORDERS, PLACE_ORDER, JsonClient, logged_in, order_form


@pytest.fixture
def ada(db: None) -> Customer:
    ada = make_customer()
    fill_cart(ada, {make_variant(on_hand=5): 1})
    return ada


def lines(log: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log]


def ordered(client: JsonClient, ada: Customer, **headers: str) -> Any:
    address = ada.addresses.first() or make_address(ada)
    return client.post(PLACE_ORDER, order_form(address.pk), headers=headers)


@pytest.mark.django_db
def test_says_method_route_status_and_duration(log: list[str]) -> None:
    answer = APIClient().get("/api/catalog/products/?q=secret")
    (line,) = lines(log)
    assert isinstance(line.pop("duration_ms"), int)
    line.pop("timestamp")
    assert line == {
        "level": "info",
        "logger": "shop.request_id",
        "event": "request",
        "request_id": answer["X-Request-ID"],
        "method": "GET",
        "route": "/api/catalog/products/",
        "status": 200,
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/orders/orders/Lovelace/", "/api/orders/orders/<slug:order_number>/"),
        ("/api/no/such/thing/Lovelace/", "none"),
    ],
)
def test_says_nothing_that_somebody_typed_into_the_path(
    log: list[str], path: str, route: str
) -> None:
    APIClient().get(path)
    (line,) = lines(log)
    assert (line["route"], line["status"]) == (route, 404)


def test_health_checks_are_not_worth_a_line(log: list[str]) -> None:
    APIClient().get("/health/live")
    assert log == []


@pytest.mark.django_db
def test_placing_an_order_names_it_in_the_line_and_in_the_outbox(
    log: list[str], ada: Customer
) -> None:
    ordered(logged_in(ada), ada, **{"X-Request-ID": "edge-12345678"})
    (line,) = lines(log)
    number = Order.objects.get().number
    assert (line["order"], line["status"]) == (number, 201)
    context = OutboxMessage.objects.get().context
    assert context == {"request_id": "edge-12345678", "order": number}


@pytest.mark.django_db
def test_repeating_and_cancelling_an_order_name_it_too(log: list[str], ada: Customer) -> None:
    client = logged_in(ada)
    for _ in range(2):
        number = ordered(client, ada, **{"Idempotency-Key": "once"}).json()["order_number"]
    client.post(f"{ORDERS}{number}/cancel/")
    assert [line.get("order") for line in lines(log)] == [number] * 3


@pytest.mark.django_db
def test_the_next_request_knows_nothing_of_the_one_before(
    log: list[str], ada: Customer
) -> None:
    ordered(logged_in(ada), ada)
    assert get_contextvars() == {}
    APIClient().get("/api/orders/cart/")
    first, second = lines(log)
    assert "order" not in second
    assert first["request_id"] != second["request_id"]


def test_what_was_refused_is_not_said_twice() -> None:
    assert not logging.getLogger("django.request").isEnabledFor(logging.WARNING)
