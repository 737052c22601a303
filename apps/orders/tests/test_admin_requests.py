"""What a person asks of orders in the admin: one outbox message each, the status untouched."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Customer
from apps.orders import fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order, Status
from shop.outbox.models import OutboxMessage
from tests.builders import (
    NOON,
    make_customer,
    make_line,
    make_purchase,
    make_staff,
    make_user,
    make_variant,
)
from tests.statements import counted

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"
TOPICS = {
    "start_processing": fulfilment.PROCESSING_REQUESTED,
    "ship": fulfilment.SHIPMENT_REQUESTED,
    "deliver": fulfilment.DELIVERY_REPORTED,
    "cancel": fulfilment.CANCELLATION_REQUESTED,
}
# Which of them an order may be asked, by its status.
ALLOWED = {
    "pending": {"cancel"},
    "confirmed": {"start_processing", "ship", "cancel"},
    "processing": {"ship", "cancel"},
    "shipped": {"deliver"},
    "delivered": set(),
    "cancelled": set(),
    "refunded": set(),
}
every_action = pytest.mark.parametrize("action", TOPICS)
every_status = pytest.mark.parametrize("status", ALLOWED)


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def make_orders(number: int, *, status: str) -> list[Order]:
    """Orders of nothing, in this status: enough for what is only asked of them."""
    customer = Customer.objects.first() or make_customer()
    address: dict[str, Any] = {}
    return Order.objects.bulk_create(
        Order(
            customer=customer,
            email="ada@example.com",
            status=status,
            payment_method="cod",
            shipping_address=address,
            billing_address=address,
            currency="EUR",
            total=0,
            placed_at=NOON,
        )
        for _ in range(number)
    )


def ask(client: Client, action: str, orders: list[Order]) -> str:
    """The message that the person reads."""
    chosen = {"action": action, "_selected_action": [order.pk for order in orders]}
    answer = client.post(LIST, chosen, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def ask_on_page(client: Client, action: str, order: Order) -> HttpResponse:
    url = reverse(f"admin:orders_order_{action}_this", args=[order.pk])
    return client.post(url, {"_form_submitted": "True"})  # type: ignore[return-value]  # the test client's answer has more


def asked() -> list[tuple[str, int]]:
    messages = OutboxMessage.objects.order_by("pk")
    return [(message.topic, message.payload["order_id"]) for message in messages]


@every_action
@every_status
def test_asks_only_orders_whose_status_allows_it(sue: Client, status: str, action: str) -> None:
    [order] = make_orders(1, status=status)
    read = ask(sue, action, [order])
    order.refresh_from_db()
    assert order.status == status
    if action in ALLOWED[status]:
        assert asked() == [(TOPICS[action], order.pk)]
        assert read.startswith(f"Order {order.number} will be ")
        assert "kipped" not in read
    else:
        assert asked() == []
        assert f"Skipped: {order.number} is {status}." in read
        assert not LogEntry.objects.exists()


def test_asks_one_message_an_order_and_names_the_skipped(sue: Client) -> None:
    confirmed = make_orders(12, status=Status.CONFIRMED)
    [pending] = make_orders(1, status=Status.PENDING)
    read = ask(sue, "ship", [*confirmed, pending])
    assert read == f"12 orders will be shipped. Skipped: {pending.number} is pending."
    assert asked() == [(fulfilment.SHIPMENT_REQUESTED, order.pk) for order in confirmed]
    entries = LogEntry.objects.values_list("object_id", "change_message")
    assert sorted(entries) == sorted((str(o.pk), "Requested: Ship.") for o in confirmed)


def test_each_message_carries_the_request_and_the_number_of_its_own_order(sue: Client) -> None:
    orders = make_orders(2, status=Status.CONFIRMED)
    chosen = {"action": "ship", "_selected_action": [order.pk for order in orders]}
    answer = sue.post(LIST, chosen)
    contexts = OutboxMessage.objects.order_by("pk").values_list("context", flat=True)
    request_id = answer["X-Request-ID"]
    assert list(contexts) == [{"request_id": request_id, "order": o.number} for o in orders]


def test_names_ten_skipped_orders_and_counts_the_rest(sue: Client) -> None:
    read = ask(sue, "deliver", make_orders(25, status=Status.PENDING))
    assert read.startswith("No orders will be marked as delivered. Skipped: ")
    assert read.count(" is pending") == 10
    assert read.endswith(" and 15 more.")


def test_asks_a_thousand_orders_in_as_many_statements_as_two(sue: Client) -> None:
    costs = []
    for number in (2, 1000):
        orders = make_orders(number, status=Status.CONFIRMED)
        # What "select all of this list" sends; it finds those of the earlier round too.
        everything = {
            "action": "cancel",
            "select_across": "1",
            "_selected_action": [orders[0].pk],
        }
        with counted() as statements:
            assert sue.post(LIST, everything).status_code == 302
        costs.append(len(statements))
    assert OutboxMessage.objects.count() == 2 + 1002
    assert costs[0] == costs[1] <= 10


@every_action
def test_asks_from_the_orders_page(sue: Client, action: str) -> None:
    status = next(status for status, actions in ALLOWED.items() if action in actions)
    [order] = make_orders(1, status=status)
    answer = ask_on_page(sue, action, order)
    assert answer["HX-Redirect"] == f"{LIST}{order.pk}/change/"
    order.refresh_from_db()
    assert order.status == status
    assert asked() == [(TOPICS[action], order.pk)]
    assert LogEntry.objects.get().object_id == str(order.pk)


@every_action
def test_does_nothing_when_a_buttons_address_is_only_opened(sue: Client, action: str) -> None:
    status = next(status for status, actions in ALLOWED.items() if action in actions)
    [order] = make_orders(1, status=status)
    answer = sue.get(reverse(f"admin:orders_order_{action}_this", args=[order.pk]))
    assert answer.status_code == 200
    assert asked() == []


@every_status
def test_shows_the_buttons_that_the_status_allows(sue: Client, status: str) -> None:
    order = make_whole_order()
    Order.objects.filter(pk=order.pk).update(status=status)
    page = sue.get(f"{LIST}{order.pk}/change/").content.decode()
    shown = {action for action in TOPICS if f"/{order.pk}/{action}_this/" in page}
    assert shown == ALLOWED[status]


def make_whole_order() -> Order:
    mug = make_variant("MUG", on_hand=9)
    lines = [make_line(mug, 2)]
    return place_order(make_purchase(make_customer()), lines=lines, now=NOON)


def test_shows_all_that_is_known_of_an_order(sue: Client) -> None:
    order = make_whole_order()
    fulfilment.update_inventory(order.pk, now=NOON)
    fulfilment.confirm(order.pk, now=NOON)
    page = sue.get(f"{LIST}{order.pk}/change/").content.decode()
    for fact in (
        order.number,
        "MUG",
        "19.00 EUR",
        "12 St James",
        "order.placed",
        f"Your order {order.number} is confirmed",
        "reservation",
        "sale",
        f"/admin/tasks/deadletter/?order_id={order.pk}",
    ):
        assert fact in page, fact


def test_shows_what_waits_until_it_was_sent(sue: Client) -> None:
    order = make_whole_order()
    page = f"{LIST}{order.pk}/change/"
    assert "Waiting to be carried out" in sue.get(page).content.decode()
    OutboxMessage.objects.update(sent_at=NOON)
    assert "Waiting to be carried out" not in sue.get(page).content.decode()


@pytest.mark.parametrize("term", ["number", "ada@example", "mug"])
def test_finds_orders_by_number_address_and_sku(sue: Client, term: str) -> None:
    order = make_whole_order()
    make_orders(1, status=Status.PENDING)
    Order.objects.exclude(pk=order.pk).update(email="bob@example.com")
    answer = sue.get(LIST, {"q": order.number if term == "number" else term})
    assert list(answer.context["cl"].result_list) == [order]


def test_has_no_form_that_could_change_or_delete_an_order(sue: Client) -> None:
    order = make_whole_order()
    typed = {"status": "delivered", "total": "0", "email": "bob@example.com"}
    assert sue.post(f"{LIST}{order.pk}/change/", typed).status_code == 403
    assert sue.post(f"{LIST}{order.pk}/delete/", {"post": "yes"}).status_code == 403
    ask(sue, "delete_selected", [order])
    unchanged = Order.objects.get()
    assert (unchanged.status, unchanged.email) == ("pending", "ada@example.com")


def test_who_may_only_look_may_not_ask(client: Client) -> None:
    [order] = make_orders(1, status=Status.CONFIRMED)
    auditor = make_user("auditor@example.com", is_staff=True)
    auditor.user_permissions.set(Permission.objects.filter(codename="view_order"))
    client.force_login(auditor)
    assert client.get(LIST).status_code == 200
    ask(client, "ship", [order])
    assert ask_on_page(client, "ship", order).status_code == 403
    assert asked() == []
