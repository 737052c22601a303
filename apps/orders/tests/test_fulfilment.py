"""Every step may run any number of times, and moves an order only where the table allows."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from apps.catalog.models import StockItem, StockMovement
from apps.orders import fulfilment
from apps.orders.checkout import place_order
from apps.orders.emails import send_confirmation
from apps.orders.models import Order, OrderStatusChange, Status, WrongStatus
from shop.mail.models import OutgoingEmail
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant
from tests.statements import counted

pytestmark = pytest.mark.django_db
Step = Callable[..., Status]


def placed(*, items: int = 1, on_hand: int = 5) -> Order:
    variants = [make_variant(f"SKU{n}", on_hand=on_hand) for n in range(items)]
    lines = [make_line(variant, 2) for variant in variants]
    return place_order(make_purchase(make_customer()), lines=lines, now=NOON)


def run(order: Order, *steps: Step) -> Status:
    status = Status(order.status)
    for step in steps:
        status = step(order.pk, now=NOON)
    return status


PIPELINE = (fulfilment.update_inventory, fulfilment.confirm)
TO_SHIPPED = (*PIPELINE, fulfilment.ship)


def test_update_inventory_sells_the_reservation_and_leaves_the_status() -> None:
    order = placed()
    assert run(order, fulfilment.update_inventory, fulfilment.update_inventory) == "pending"
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (3, 0)


def test_confirm_moves_once_and_queues_one_email_though_it_is_repeated() -> None:
    order = placed()
    assert run(order, *PIPELINE, *PIPELINE) == "confirmed"
    assert OutgoingEmail.objects.get().reference == order.reference
    assert [change.new for change in order.status_changes.order_by("pk")] == [
        "pending",
        "confirmed",
    ]


def test_a_confirmation_that_overtakes_the_sale_sells_by_itself() -> None:
    order = placed()
    assert run(order, fulfilment.confirm, fulfilment.update_inventory) == "confirmed"
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (3, 0)


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ((*PIPELINE, fulfilment.start_processing), "processing"),
        (TO_SHIPPED, "shipped"),
        ((*TO_SHIPPED, fulfilment.deliver), "delivered"),
        ((fulfilment.cancel,), "cancelled"),
        ((*PIPELINE, fulfilment.start_processing, fulfilment.cancel), "cancelled"),
    ],
)
def test_each_step_run_twice_moves_once(steps: tuple[Step, ...], status: str) -> None:
    order = placed()
    run(order, *steps)
    before = order.status_changes.count()
    assert run(order, steps[-1]) == status
    assert order.status_changes.count() == before
    order.refresh_from_db()
    assert order.status == status


def test_a_step_that_comes_again_after_later_ones_changes_nothing() -> None:
    order = placed()
    steps = (*PIPELINE, fulfilment.start_processing, fulfilment.ship, fulfilment.deliver)
    run(order, *steps)
    for step in steps:
        assert run(order, step) == "delivered"
    assert order.status_changes.count() == 5


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ((), fulfilment.ship),
        ((), fulfilment.start_processing),
        (PIPELINE, fulfilment.deliver),
        (TO_SHIPPED, fulfilment.cancel),
        (TO_SHIPPED, fulfilment.start_processing),
        ((fulfilment.cancel,), fulfilment.ship),
    ],
)
def test_refuses_a_move_that_the_table_forbids(steps: tuple[Step, ...], refused: Step) -> None:
    order = placed()
    status = run(order, *steps)
    stock = StockItem.objects.values_list("on_hand", "reserved").get()
    with pytest.raises(WrongStatus), transaction.atomic():
        refused(order.pk, now=NOON)
    order.refresh_from_db()
    assert order.status == status
    assert StockItem.objects.values_list("on_hand", "reserved").get() == stock


def test_the_table_names_every_status_and_only_known_ones() -> None:
    assert set(Order.NEXT) == set(Status)
    assert set().union(*Order.NEXT.values()) <= set(Status)


@pytest.mark.parametrize("before", [(), (fulfilment.update_inventory,), PIPELINE])
def test_a_cancelled_order_gives_back_all_its_stock_and_stays_cancelled(
    before: tuple[Step, ...],
) -> None:
    order = placed()
    run(order, *before, fulfilment.cancel, fulfilment.cancel)
    assert run(order, *PIPELINE) == "cancelled"
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (5, 0)
    kinds = StockMovement.objects.filter(reference=order.reference).values_list("kind")
    assert len(kinds) == len(set(kinds))


def test_a_cancelled_order_sends_nothing(mailoutbox: list[object]) -> None:
    before_confirm = placed()
    run(before_confirm, fulfilment.cancel, *PIPELINE)
    assert send_confirmation(before_confirm.pk, now=NOON) == "none"
    bob, mug = make_purchase(make_customer("bob")), make_variant(on_hand=2)
    after_confirm = place_order(bob, lines=[make_line(mug)], now=NOON)
    run(after_confirm, *PIPELINE, fulfilment.cancel)
    assert send_confirmation(after_confirm.pk, now=NOON) == "withdrawn"
    assert mailoutbox == []


@pytest.mark.parametrize("items", [1, 3, 30])
def test_the_steps_take_the_same_statements_whatever_the_number_of_items(items: int) -> None:
    order = placed(items=items)
    counts = []
    for step in (*PIPELINE, fulfilment.cancel):
        with counted() as statements:
            step(order.pk, now=NOON)
        counts.append(len(statements))
    assert counts == [3, 6, 7]


def test_compare_and_swap_refuses_a_move_from_a_status_that_has_passed() -> None:
    order = placed()
    stale = Order.objects.get(pk=order.pk)
    run(order, fulfilment.cancel)
    with pytest.raises(WrongStatus, match="no longer pending"), transaction.atomic():
        stale.move_to(Status.CONFIRMED, now=NOON)


def test_the_history_refuses_update_delete_and_a_second_entry() -> None:
    order = placed()
    history = OrderStatusChange.objects.all()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        history.update(new="shipped")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        history.delete()
    rule = "each_status_is_entered_once"
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        order.status_changes.create(old="", new="pending", changed_at=NOON)
