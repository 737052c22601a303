"""Replaying a file: each sale once through checkout, whatever was there already."""

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.db.models import Sum

from apps.accounts.models import Customer, User
from apps.catalog.models import Product, StockItem, StockMovement, Variant
from apps.orders import emails, fulfilment
from apps.orders.models import Order, OrderItem, OrderStatusChange, Status
from apps.orders.replay.placing import Pace, place, place_all
from apps.orders.replay.preparation import only_replay, prepare
from apps.orders.replay.reader import Kind, read
from apps.orders.tests.replay_samples import TRAPS, invoice, some_sales
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from tests.builders import NOON, make_customer, make_variant
from tests.concurrently import run_at_once
from tests.files import write_file

pytestmark = pytest.mark.django_db(transaction=True)


def test_places_each_sale_as_checkout_would(tmp_path: Path) -> None:
    _replay_without_pipeline(write_file(tmp_path / "orders.jsonl", [invoice()]))
    order = Order.objects.get()
    assert (order.status, order.total) == (Status.PENDING, Decimal("26.30"))
    assert (order.email, order.idempotency_key) == (
        "customer-17@replay.invalid",
        "replay-700001",
    )
    assert order.shipping_address["country"] == order.billing_address["country"] == "GB"
    assert OutboxMessage.objects.get().payload == {"order_id": order.pk}
    items = order.items.order_by("pk").values_list("sku", "quantity", "unit_price")
    assert list(items) == [
        (sku.upper(), quantity, Decimal(price)) for sku, quantity, price in TRAPS
    ]


def test_receives_exactly_what_the_sales_need_and_holds_it(tmp_path: Path) -> None:
    _replay_without_pipeline(write_file(tmp_path / "orders.jsonl", [invoice()]))
    receipts = StockMovement.objects.filter(kind="receipt")
    assert _units(receipts) == {"MUG-1": 5, "CARD": 1, "BANK FEE": 1}
    stock = StockItem.objects.values_list("variant__sku", "on_hand", "reserved")
    assert set(stock) == {("MUG-1", 5, 5), ("CARD", 1, 1), ("BANK FEE", 1, 1)}


def test_makes_products_that_no_shopper_sees(tmp_path: Path) -> None:
    _replay_without_pipeline(write_file(tmp_path / "orders.jsonl", [invoice()]))
    assert set(Product.objects.values_list("name", "is_published")) == {
        ("MUG-1", False),
        ("CARD", False),
        ("BANK FEE", False),
    }
    assert Variant.objects.get(sku="MUG-1").price == Decimal("2.50")


def test_sells_the_shops_own_variant_and_leaves_its_stock_alone(tmp_path: Path) -> None:
    mug = make_variant("Mug-1", on_hand=9)
    path = write_file(tmp_path / "orders.jsonl", [invoice()])
    _replay_without_pipeline(path)
    _run_pipeline()
    assert "2 sold to the last unit" in _replay(path)
    assert Variant.objects.filter(sku__iexact="MUG-1").get() == mug
    stock = StockItem.objects.get(variant=mug)
    assert (stock.on_hand, stock.reserved) == (9, 0)


def test_gives_each_name_one_customer_who_cannot_log_in_and_the_nameless_one(
    tmp_path: Path,
) -> None:
    records = [
        invoice("1", customer="17"),
        invoice("2", customer="17", iso2="IE"),
        invoice("3", customer=None),
        invoice("4", customer=None),
    ]
    _replay_without_pipeline(write_file(tmp_path / "orders.jsonl", records))
    orders = Order.objects.order_by("idempotency_key").values_list("email", flat=True)
    named, nameless = "customer-17@replay.invalid", "anonymous@replay.invalid"
    assert list(orders) == [named, named, nameless, nameless]
    assert Customer.objects.count() == 2
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_counts_what_was_returned_and_places_none_of_it(tmp_path: Path) -> None:
    records = [
        invoice("C1", [("MUG-1", -2, "2.50")], kind="cancellation"),
        invoice("2", [("MUG-1", 5, "0.00")], kind="stock_adjustment"),
    ]
    report = _replay(write_file(tmp_path / "orders.jsonl", records))
    assert _row(report, "cancellations (not placed)") == "1"
    assert _row(report, "stock adjustments (not placed)") == "1"
    assert not Order.objects.exists()
    assert not Variant.objects.exists()


def test_agrees_when_the_pipeline_finishes_while_it_waits(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl.gz", some_sales(8), packed=True)
    with _pipeline_beside():
        report = _replay(path, timeout=20)
    total = sum(Decimal(sale["total"]) for sale in some_sales(8))
    expected = {
        "orders": "8",
        "placed by this run": "8",
        "placed by an earlier run": "0",
        "items": "16",
        "units": "52",
        "value": str(total),
        "confirmed": "8",
        "e-mails sent": "8",
        "their stock movements": "32",
        "ledger": "agree (4 SKUs, 4 sold to the last unit)",
        "statuses": "agree (8 histories)",
        "totals": "agree (8 orders, line by line)",
        "e-mails": "agree (8 confirmations)",
    }
    assert {name: _row(report, name) for name in expected} == expected
    assert _row(report, "commit to confirmed, p95").endswith(" s")
    assert set(StockItem.objects.values_list("on_hand", "reserved")) == {(0, 0)}


def test_places_nothing_twice(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl", some_sales(8))
    _replay_without_pipeline(path)
    before = _everything()
    _replay_without_pipeline(path)
    assert _everything() == before
    _run_pipeline()
    done = _everything()
    report = _replay(path)
    assert _everything() == done
    assert _row(report, "placed by this run") == "0"
    assert _row(report, "placed by an earlier run") == "8"
    assert _row(report, "totals") == "agree (8 orders, line by line)"


def test_places_the_first_sales_only_and_later_the_rest(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl", some_sales(8))
    _replay_without_pipeline(path, limit=3)
    keys = set(Order.objects.values_list("idempotency_key", flat=True))
    assert keys == {"replay-700001", "replay-700002", "replay-700003"}
    _replay_without_pipeline(path)
    _run_pipeline()
    report = _replay(path)
    assert _row(report, "ledger") == "agree (4 SKUs, 4 sold to the last unit)"
    assert _row(_replay(path, limit=3), "orders") == "3"
    assert Order.objects.count() == 8


def test_goes_on_where_an_interrupted_run_stopped_and_receives_nothing_again(
    tmp_path: Path,
) -> None:
    path = write_file(tmp_path / "orders.jsonl", some_sales(8))
    sales = read(path).of_kind(Kind.SALE)
    stage = prepare(sales, to_place=sales, now=NOON)
    for sale in sales[:3]:
        place(sale, stage=stage, now=NOON)
    received = _units(StockMovement.objects.filter(kind="receipt"))
    _replay_without_pipeline(path)
    assert Order.objects.count() == 8
    assert _units(StockMovement.objects.filter(kind="receipt")) == received


def test_two_replays_at_once_place_each_sale_once(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl", some_sales(12))
    outcomes = run_at_once([lambda: _replay(path, timeout=0)] * 2)
    assert all(isinstance(outcome, CommandError) for outcome in outcomes)  # no pipeline
    assert Order.objects.count() == OutboxMessage.objects.count() == 12
    _run_pipeline()
    assert _row(_replay(path), "ledger") == "agree (4 SKUs, 4 sold to the last unit)"


def test_places_nothing_while_another_replay_runs(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl", some_sales(2))
    ended, seen = threading.Event(), []

    def other_replay() -> None:
        with only_replay(waiting=ended.set):
            ended.wait(10)
            seen.append(Order.objects.count())

    def this_replay() -> None:
        time.sleep(0.1)  # the other one is first
        threading.Timer(0.7, ended.set).start()
        _replay_without_pipeline(path)

    assert run_at_once([other_replay, this_replay]) == [None, None]
    assert seen == [0]
    assert Order.objects.count() == 2


def test_eight_threads_with_one_sale_make_one_order(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl", [invoice()])
    (sale,) = read(path).invoices
    stage = prepare([sale], to_place=[sale], now=NOON)
    outcomes = run_at_once([lambda: place(sale, stage=stage, now=NOON)] * 8)
    assert sorted(outcome[1] for outcome in outcomes if isinstance(outcome, tuple)) == [
        *[False] * 7,
        True,
    ]
    assert Order.objects.count() == OutboxMessage.objects.count() == 1
    assert _units(StockMovement.objects.filter(kind="reservation"))["MUG-1"] == 5


def test_waits_for_a_lock_that_is_held_longer_than_a_shopper_would(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl", [invoice()])
    sales = read(path).invoices
    stage = prepare(sales, to_place=sales, now=NOON)
    locked = threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(StockItem.objects.select_for_update())
            locked.set()
            time.sleep(2.3)  # the lock_timeout is 2 seconds
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait()
    outcome = _place_all(sales, stage)
    holder.join()
    assert list(outcome.placed) == ["700001"]
    assert not outcome.refused
    assert Order.objects.count() == 1


def test_a_refused_sale_stops_no_other_and_leaves_nothing_behind(tmp_path: Path) -> None:
    sales = read(write_file(tmp_path / "orders.jsonl", some_sales(4))).invoices
    goods_for = [sale for sale in sales if sale.number != "700003"]
    stage = prepare(sales, to_place=goods_for, now=NOON)
    outcome = _place_all(sales, stage, threads=1)
    assert outcome.refused == {"700003": "Not enough stock of SKU2."}
    assert len(outcome.placed) == Order.objects.count() == OutboxMessage.objects.count() == 3
    stock = StockItem.objects.get(variant__sku="HOT")
    assert (stock.on_hand, stock.reserved) == (7, 7)


def test_keeps_to_the_rate(tmp_path: Path) -> None:
    sales = read(write_file(tmp_path / "orders.jsonl", some_sales(6))).invoices
    stage = prepare(sales, to_place=sales, now=NOON)
    started = time.monotonic()
    _place_all(sales, stage, rate=10)
    assert time.monotonic() - started >= 0.5
    assert Order.objects.count() == 6


def test_places_the_others_when_a_line_is_broken_and_says_which(tmp_path: Path) -> None:
    sales = some_sales(2)
    path = write_file(tmp_path / "orders.jsonl", [sales[0], "{", sales[1]])
    err = io.StringIO()
    with pytest.raises(CommandError, match="1 broken lines"):
        _replay(path, err=err, timeout=0)
    assert err.getvalue().splitlines()[0] == "line 2: not JSON"
    _run_pipeline()
    with pytest.raises(CommandError, match=r"Not everything agrees: 1 broken lines\.$"):
        _replay(path)
    assert Order.objects.filter(status=Status.CONFIRMED).count() == 2


def test_gives_up_on_a_pipeline_that_stands_still_and_says_what_is_left(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl", some_sales(3))
    started = time.monotonic()
    with pytest.raises(CommandError, match="3 orders still pending, 0 e-mails still unsent"):
        _replay(path, timeout=1)
    assert 1 <= time.monotonic() - started < 10


def test_waits_for_the_emails_too(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl", some_sales(3))
    _replay_without_pipeline(path)
    for order in Order.objects.all():
        fulfilment.update_inventory(order.pk, now=NOON)
        fulfilment.confirm(order.pk, now=NOON)
    with pytest.raises(CommandError, match="0 orders still pending, 3 e-mails still unsent"):
        _replay(path, timeout=0)


@pytest.mark.parametrize("option", ["--limit=0", "--threads=33", "--rate=-1", "--timeout=nan"])
def test_refuses_a_senseless_option(tmp_path: Path, option: str) -> None:
    path = write_file(tmp_path / "orders.jsonl", [invoice()])
    with pytest.raises(CommandError):
        call_command("replay_orders", str(path), option)
    assert not Order.objects.exists()


def test_says_in_one_line_that_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(
        CommandError, match=r"nowhere cannot be read: No such file or directory\.$"
    ):
        _replay(tmp_path / "nowhere")


def test_a_dry_run_says_what_would_be_placed_and_asks_the_database_nothing(
    tmp_path: Path, django_assert_num_queries: Any
) -> None:
    path = write_file(tmp_path / "orders.jsonl", some_sales(4))
    with django_assert_num_queries(0):
        report = _replay(path, dry_run=True, limit=3)
    assert _row(report, "sales to place") == "3"
    assert _row(report, "their items") == "6"
    assert _row(report, "their units") == "12"
    assert _row(report, "SKUs") == "4"
    assert not User.objects.exists()
    assert not Variant.objects.exists()


def test_a_dry_run_finds_broken_lines(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl", [invoice(), invoice()])
    err = io.StringIO()
    with pytest.raises(CommandError, match="1 broken lines"):
        _replay(path, dry_run=True, err=err)
    assert err.getvalue().startswith("line 2: number 700001 was on line 1 already")


def test_never_takes_a_changed_sale_for_the_one_that_was_placed(tmp_path: Path) -> None:
    _replay_without_pipeline(write_file(tmp_path / "orders.jsonl", [invoice()]))
    _run_pipeline()
    changed = write_file(tmp_path / "changed.jsonl", [invoice(lines=[("CARD", 7, "1.00")])])
    err = io.StringIO()
    with pytest.raises(CommandError, match="1 differences in placing"):
        _replay(changed, err=err)
    assert "placing: 700001: was replayed before with another content" in err.getvalue()
    assert Order.objects.count() == 1


def test_takes_a_shoppers_own_key_for_no_replay(tmp_path: Path) -> None:
    ada = make_customer()
    Order.objects.create(
        customer=ada,
        email="ada@example.com",
        shipping_address={},
        billing_address={},
        total=0,
        placed_at=NOON,
        idempotency_key="replay-700001",
    )
    _replay_without_pipeline(write_file(tmp_path / "orders.jsonl", [invoice()]))
    assert Order.objects.exclude(customer=ada).count() == 1


class TestDisagreement:
    """Exit status and complaint when somebody has changed what a replay left behind."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = write_file(tmp_path / "orders.jsonl", some_sales(2))
        _replay_without_pipeline(path)
        _run_pipeline()
        assert "agree (2 histories)" in _replay(path)
        return path

    def test_finds_a_wrong_total(self, path: Path) -> None:
        Order.objects.filter(idempotency_key="replay-700001").update(total=1)
        _assert_complaint(path, "totals: 700001: order 1.00, items 7.45, file 7.45")

    def test_finds_a_wrong_item(self, path: Path) -> None:
        OrderItem.objects.filter(sku="SKU0").update(sku="HOT")
        _assert_complaint(path, "totals: 700001: the items are not the lines of the file")

    def test_finds_stock_that_no_movement_explains(self, path: Path) -> None:
        StockItem.objects.filter(variant__sku="HOT").update(on_hand=2, reserved=1)
        _assert_complaint(
            path,
            "ledger: HOT: on hand 2, should be 0",
            "ledger: HOT: reserved 1, should be 0",
            "ledger: HOT: left on hand 2, should be 0",
            "ledger: HOT: left reserved 1, should be 0",
        )

    def test_finds_a_status_that_no_history_explains(self, path: Path) -> None:
        Order.objects.filter(idempotency_key="replay-700001").update(status=Status.SHIPPED)
        _assert_complaint(path, "does not chain")

    def test_finds_a_history_with_a_gap(self, path: Path) -> None:
        order = Order.objects.get(idempotency_key="replay-700001")
        Order.objects.filter(pk=order.pk).update(status=Status.DELIVERED)
        OrderStatusChange.objects.create(
            order=order, old=Status.SHIPPED, new=Status.DELIVERED, changed_at=NOON
        )
        _assert_complaint(path, "does not chain")

    def test_finds_a_cancelled_order_and_what_it_put_back(self, path: Path) -> None:
        fulfilment.cancel(Order.objects.get(idempotency_key="replay-700001").pk, now=NOON)
        _assert_complaint(path, "statuses: 700001: the order is cancelled")

    def test_finds_a_mail_that_was_not_sent(self, path: Path) -> None:
        mail = OutgoingEmail.objects.order_by("pk")[0]
        OutgoingEmail.objects.filter(pk=mail.pk).update(status=OutgoingEmail.Status.UNKNOWN)
        _assert_complaint(path, "the e-mail is unknown")

    def test_is_content_with_an_order_that_went_on_to_the_customer(self, path: Path) -> None:
        for order in Order.objects.all():
            fulfilment.ship(order.pk, now=NOON)
            fulfilment.deliver(order.pk, now=NOON)
        assert _row(_replay(path), "statuses") == "agree (2 histories)"


def _assert_complaint(path: Path, *complaints: str) -> None:
    err = io.StringIO()
    with pytest.raises(CommandError, match="Not everything agrees"):
        _replay(path, err=err)
    for complaint in complaints:
        assert complaint in err.getvalue()


def _replay(path: Path, *, err: io.StringIO | None = None, **options: Any) -> str:
    """What the command prints; raises CommandError where it ends with another status than 0."""
    out = io.StringIO()
    values = {"threads": 2, "timeout": 1, **options}
    call_command("replay_orders", str(path), stdout=out, stderr=err or io.StringIO(), **values)
    return out.getvalue()


def _replay_without_pipeline(path: Path, **options: Any) -> None:
    with pytest.raises(CommandError, match="orders still pending"):
        _replay(path, timeout=0, **options)


def _place_all(sales: Any, stage: Any, *, threads: int = 2, rate: float = 0.0) -> Any:
    return place_all(
        sales,
        stage=stage,
        pace=Pace(threads=threads, rate=rate),
        clock=lambda: NOON,
        progress=lambda _done: None,
    )


def _run_pipeline() -> int:
    """What relay and workers do, for every pending order; returns for how many."""
    order_ids = list(Order.objects.filter(status=Status.PENDING).values_list("pk", flat=True))
    for order_id in order_ids:
        fulfilment.update_inventory(order_id, now=NOON)
        fulfilment.confirm(order_id, now=NOON)
        emails.send_confirmation(order_id, now=NOON)
    return len(order_ids)


@contextmanager
def _pipeline_beside() -> Iterator[None]:
    """Runs the pipeline in another thread for as long as the block lasts."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.05):
            _run_pipeline()
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()


def _units(movements: Any) -> dict[str, int]:
    return dict(movements.values_list("variant__sku").annotate(Sum("quantity")))


def _row(report: str, name: str) -> str:
    """The value beside the name in the printed table."""
    (value,) = (
        line.removeprefix(name).strip()
        for line in report.splitlines()
        if line.startswith(f"{name}  ")
    )
    return value


def _everything() -> list[int]:
    models = (User, Customer, Variant, StockMovement, Order, OrderItem, OutboxMessage)
    return [model.objects.count() for model in models]
