"""Stock in the admin: shown, and changed only by booking a movement."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.catalog import inventory
from apps.catalog.models import StockItem, StockMovement, Variant
from tests.builders import NOON, make_staff, make_user, make_variant
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def page_of(variant: Variant) -> str:
    return reverse("admin:catalog_variant_book_stock", args=[variant.pk])


def book(sue: Client, variant: Variant, **fields: Any) -> HttpResponse:
    values = {"kind": "receipt", "quantity": 5, "reference": "", "reason": ""}
    return sue.post(page_of(variant), {**values, "key": "0badcafe", **fields})  # type: ignore[return-value]  # the test client's answer has more


def stock_of(variant: Variant) -> tuple[int, int]:
    stock = StockItem.objects.filter(variant=variant).first()
    return (stock.on_hand, stock.reserved) if stock else (0, 0)


def test_books_what_arrived(sue: Client) -> None:
    mug = make_variant("MUG")
    answer = book(sue, mug, quantity=12, reference="DN-4711")
    assert answer.status_code == 302
    assert stock_of(mug) == (12, 0)
    movement = StockMovement.objects.get()
    assert (movement.kind, movement.quantity, movement.reference) == ("receipt", 12, "DN-4711")


def test_writes_into_the_history_who_booked(sue: Client) -> None:
    mug = make_variant("MUG")
    book(sue, mug, quantity=12, reference="DN-4711")
    entry = LogEntry.objects.get()
    assert str(entry.user) == "sue@example.com"
    assert entry.object_id == str(mug.pk)
    assert "receipt of 12 (DN-4711)" in entry.get_change_message()


def test_makes_up_a_reference_that_a_second_click_repeats(sue: Client) -> None:
    mug = make_variant("MUG")
    shown = re.search(
        r'name="key" value="([0-9a-f]{8})"', sue.get(page_of(mug)).content.decode()
    )
    assert shown is not None
    for _ in range(2):
        assert book(sue, mug, key=shown[1]).status_code == 302
    assert stock_of(mug) == (5, 0)
    assert StockMovement.objects.get().reference == f"receipt-{shown[1]}"
    assert LogEntry.objects.count() == 1


def test_books_again_from_a_page_that_is_opened_again(sue: Client) -> None:
    mug = make_variant("MUG")
    pages = [sue.get(page_of(mug)).content.decode() for _ in range(2)]
    keys = [re.findall(r'name="key" value="(\w+)"', page)[0] for page in pages]
    for key in keys:
        book(sue, mug, key=key)
    assert stock_of(mug) == (10, 0)


def test_books_what_a_count_found(sue: Client) -> None:
    mug = make_variant("MUG", on_hand=7)
    book(sue, mug, kind="correction", quantity=-2, reason="broken")
    assert stock_of(mug) == (5, 0)
    movement = StockMovement.objects.get(kind="correction")
    assert (movement.reference, movement.reason) == ("count-0badcafe", "broken")


def test_refuses_a_correction_below_what_is_promised_and_books_nothing(sue: Client) -> None:
    mug = make_variant("MUG", on_hand=7)
    inventory.reserve({mug.pk: 5}, reference="order-1", now=NOON)
    answer = book(sue, mug, kind="correction", quantity=-3, reason="broken")
    assert answer.status_code == 200
    assert (
        "Only 2 can go: units that are promised to orders have to stay."
        in answer.content.decode()
    )
    assert stock_of(mug) == (7, 5)
    assert not StockMovement.objects.filter(kind="correction").exists()
    assert not LogEntry.objects.exists()


def test_refuses_another_quantity_under_a_reference_that_was_booked(sue: Client) -> None:
    mug = make_variant("MUG")
    book(sue, mug, quantity=5, reference="DN-4711")
    answer = book(sue, mug, quantity=6, reference="DN-4711")
    assert "Already booked, with 5 units." in answer.content.decode()
    assert stock_of(mug) == (5, 0)


@pytest.mark.parametrize("kind", ["receipt", "correction"])
def test_refuses_more_than_the_shop_can_count_and_books_nothing(sue: Client, kind: str) -> None:
    mug = make_variant("MUG", on_hand=2**31 - 2)
    answer = book(sue, mug, kind=kind, quantity=2, reason="found")
    assert answer.status_code == 200
    assert "cannot count that many units" in answer.content.decode()
    assert stock_of(mug) == (2**31 - 2, 0)
    assert StockMovement.objects.count() == 1
    assert book(sue, mug, kind=kind, quantity=1, reason="found").status_code == 302
    assert stock_of(mug) == (2**31 - 1, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity": 0},
        {"quantity": -1},
        {"quantity": 10**9},
        {"quantity": "2.5"},
        {"quantity": ""},
        {"kind": "correction", "quantity": -1, "reason": ""},
        {"kind": "correction", "quantity": 0, "reason": "counted"},
        {"kind": "sale"},
        {"reference": "x" * 65},
        {"key": "another thing"},
    ],
    ids=str,
)
def test_refuses_nonsense_and_books_nothing(sue: Client, fields: dict[str, Any]) -> None:
    mug = make_variant("MUG", on_hand=7)
    assert book(sue, mug, **fields).status_code == 200
    assert stock_of(mug) == (7, 0)
    assert StockMovement.objects.count() == 1


def test_does_not_let_the_variants_form_type_over_the_stock(sue: Client) -> None:
    mug = make_variant("MUG", on_hand=7)
    url = reverse("admin:catalog_variant_change", args=[mug.pk])
    fields = {"sku": "MUG", "name": "", "price": "11.00", "is_active": "on"}
    typed = {"on_hand": 99, "reserved": 9, "available": 99, "stock": 99}
    assert sue.post(url, {**fields, **typed}).status_code == 302
    mug.refresh_from_db()
    assert str(mug.price) == "11.00"
    assert stock_of(mug) == (7, 0)


@pytest.mark.parametrize("permissions", [[], ["view_variant", "change_variant"]], ids=str)
def test_is_refused_without_the_permission(client: Client, permissions: list[str]) -> None:
    mug = make_variant("MUG", on_hand=7)
    client.force_login(make_packer(permissions))
    assert client.get(page_of(mug)).status_code == 403
    assert book(client, mug).status_code == 403
    assert stock_of(mug) == (7, 0)


def test_is_allowed_with_the_permission_to_add_movements(client: Client) -> None:
    mug = make_variant("MUG")
    client.force_login(make_packer(["add_stockmovement"]))
    assert book(client, mug).status_code == 302
    assert stock_of(mug) == (5, 0)


def make_packer(permissions: list[str]) -> User:
    packer = make_user("packer@example.com", is_staff=True)
    packer.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return packer


@pytest.mark.django_db(transaction=True)
def test_books_once_when_two_clicks_come_at_the_same_time() -> None:
    mug, sue = make_variant("MUG"), make_staff()

    def click() -> HttpResponse:
        client = Client()
        client.force_login(sue)
        return book(client, mug)

    answers = run_at_once([click] * 8)
    assert [getattr(answer, "status_code", answer) for answer in answers] == [302] * 8
    assert stock_of(mug) == (5, 0)
    assert LogEntry.objects.count() == 1
