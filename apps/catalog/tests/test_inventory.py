"""Stock moves all or nothing, once, and never below what was promised."""

import pytest
from django.db import IntegrityError, transaction

from apps.catalog import inventory
from apps.catalog.models import StockItem, StockMovement, Variant
from tests.builders import NOON, make_variant

pytestmark = pytest.mark.django_db


def totals(variant: Variant) -> tuple[int, int]:
    stock = StockItem.objects.get(variant=variant)
    return stock.on_hand, stock.reserved


def kinds(reference: str) -> list[str]:
    rows = StockMovement.objects.filter(reference=reference).order_by("pk")
    return [row.kind for row in rows]


def test_books_a_receipt_once_though_it_is_repeated() -> None:
    mug = make_variant()
    for _ in range(2):
        inventory.receive({mug.pk: 5}, reference="note-1", now=NOON)
    assert totals(mug) == (5, 0)
    assert kinds("note-1") == ["receipt"]


def test_holds_stock_without_taking_it_from_the_shelf() -> None:
    mug = make_variant(on_hand=5)
    inventory.reserve({mug.pk: 2}, reference="order-1", now=NOON)
    assert totals(mug) == (5, 2)


def test_refuses_when_one_of_two_is_short_and_holds_nothing() -> None:
    mug, cup = make_variant(on_hand=5), make_variant("CUP", on_hand=1)
    with pytest.raises(inventory.OutOfStock) as caught, transaction.atomic():
        inventory.reserve({mug.pk: 2, cup.pk: 2}, reference="order-1", now=NOON)
    assert caught.value.facts["items"] == [{"sku": "CUP", "wanted": 2, "available": 1}]
    assert totals(mug) == (5, 0)
    assert totals(cup) == (1, 0)
    assert kinds("order-1") == []


def test_counts_a_variant_that_never_had_stock_as_out_of_stock() -> None:
    mug = make_variant()
    with pytest.raises(inventory.OutOfStock) as caught, transaction.atomic():
        inventory.reserve({mug.pk: 1}, reference="order-1", now=NOON)
    assert caught.value.facts["items"] == [{"sku": "MUG", "wanted": 1, "available": 0}]


def test_sells_what_was_held_once_though_it_is_repeated() -> None:
    mug = make_variant(on_hand=5)
    inventory.reserve({mug.pk: 2}, reference="order-1", now=NOON)
    for _ in range(2):
        inventory.sell(reference="order-1", now=NOON)
    assert totals(mug) == (3, 0)
    assert kinds("order-1") == ["reservation", "sale"]


def test_releases_what_was_held_once_though_it_is_repeated() -> None:
    mug = make_variant(on_hand=5)
    inventory.reserve({mug.pk: 2}, reference="order-1", now=NOON)
    for _ in range(2):
        inventory.put_back(reference="order-1", now=NOON)
    assert totals(mug) == (5, 0)
    assert kinds("order-1") == ["reservation", "release"]


def test_restocks_what_was_sold_once_though_it_is_repeated() -> None:
    mug = make_variant(on_hand=5)
    inventory.reserve({mug.pk: 2}, reference="order-1", now=NOON)
    inventory.sell(reference="order-1", now=NOON)
    for _ in range(2):
        inventory.put_back(reference="order-1", now=NOON)
    assert totals(mug) == (5, 0)
    assert kinds("order-1") == ["reservation", "sale", "restock"]


def test_does_not_sell_what_was_put_back() -> None:
    mug = make_variant(on_hand=1)
    inventory.reserve({mug.pk: 1}, reference="order-1", now=NOON)
    inventory.put_back(reference="order-1", now=NOON)
    inventory.reserve({mug.pk: 1}, reference="order-2", now=NOON)
    inventory.sell(reference="order-1", now=NOON)
    assert totals(mug) == (1, 1)
    assert kinds("order-1") == ["reservation", "release"]


def test_corrects_in_both_directions_with_a_reason() -> None:
    mug = make_variant(on_hand=5)
    inventory.correct({mug.pk: -2}, reference="count-1", reason="two broken", now=NOON)
    inventory.correct({mug.pk: 1}, reference="count-2", reason="one found", now=NOON)
    assert totals(mug) == (4, 0)


def test_refuses_a_correction_that_would_take_promised_units() -> None:
    mug = make_variant(on_hand=5)
    inventory.reserve({mug.pk: 4}, reference="order-1", now=NOON)
    with pytest.raises(inventory.OutOfStock), transaction.atomic():
        inventory.correct({mug.pk: -2}, reference="count-1", reason="broken", now=NOON)
    assert totals(mug) == (5, 4)
    assert kinds("count-1") == []


def test_the_database_refuses_a_correction_without_a_reason() -> None:
    mug = make_variant(on_hand=5)
    with pytest.raises(IntegrityError, match="correction_has_a_reason"), transaction.atomic():
        inventory.correct({mug.pk: -1}, reference="count-1", reason="", now=NOON)


@pytest.mark.parametrize(("on_hand", "reserved"), [(1, 2), (0, 1)])
def test_the_database_refuses_totals_that_promise_too_much(on_hand: int, reserved: int) -> None:
    mug = make_variant(on_hand=5)
    stock = StockItem.objects.filter(variant=mug)
    with pytest.raises(IntegrityError, match="stock_never_oversold"), transaction.atomic():
        stock.update(on_hand=on_hand, reserved=reserved)
    assert totals(mug) == (5, 0)


def test_the_ledger_refuses_update_and_delete() -> None:
    make_variant(on_hand=5)
    line = StockMovement.objects.all()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        line.update(quantity=50)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        line.delete()
    assert line.get().quantity == 5


@pytest.mark.parametrize("quantity", [0, -1])
def test_the_database_refuses_a_receipt_that_moves_nothing_in(quantity: int) -> None:
    mug = make_variant()
    with pytest.raises(IntegrityError, match="movement_moves_something"), transaction.atomic():
        inventory.receive({mug.pk: quantity}, reference="note-1", now=NOON)
