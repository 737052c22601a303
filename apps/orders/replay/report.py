"""Whether the shop agrees with the replayed file, and the figures of the replay."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from django.db.models import QuerySet, Sum

from apps.catalog.models import StockMovement, Variant
from apps.orders.checkout import ORDER_PLACED
from apps.orders.emails import CONFIRMATION
from apps.orders.models import Order, OrderItem, OrderStatusChange, Status
from apps.orders.replay.ledger import compare_ledger
from apps.orders.replay.reader import Invoice
from apps.orders.replay.watching import references
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage

_Orders = Mapping[str, int]  # number of the invoice -> id of its order
_Item = tuple[str, int, Decimal]  # SKU in lower case, quantity, unit price
_FULFILLED = {Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One comparison, what it covered, and every difference that it found."""

    name: str
    covered: str
    problems: list[str]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How much was replayed, as the database has it."""

    items: int
    units: int
    value: Decimal
    confirmed: int
    emails: int
    movements: int


def verify(
    sales: Sequence[Invoice], *, orders: _Orders, variants: Mapping[str, Variant]
) -> list[Check]:
    """Every comparison of the sales with their `orders`, of the first to the last unit."""
    placed = [sale for sale in sales if sale.number in orders]
    ledger = compare_ledger(placed, orders=orders, variants=variants)
    return [
        Check(
            name="ledger",
            covered=f"{ledger.variants} SKUs, {ledger.sold_out} sold to the last unit",
            problems=ledger.problems,
        ),
        Check(
            name="statuses",
            covered=f"{len(orders)} histories",
            problems=list(_status_problems(orders)),
        ),
        Check(
            name="totals",
            covered=f"{len(sales)} orders, line by line",
            problems=list(_total_problems(sales, orders)),
        ),
        Check(
            name="e-mails",
            covered=f"{len(orders)} confirmations",
            problems=list(_email_problems(orders)),
        ),
    ]


def figures(orders: _Orders) -> Figures:
    """The sums over the orders, with the movements that they made."""
    ids = list(orders.values())
    items = OrderItem.objects.filter(order__in=ids)
    sums = items.aggregate(units=Sum("quantity"), value=Sum("line_total"))
    confirmed = OrderStatusChange.objects.filter(order__in=ids, new=Status.CONFIRMED)
    sent = _confirmations(ids).filter(status=OutgoingEmail.Status.SENT)
    moved = StockMovement.objects.filter(reference__in=references(ids))
    return Figures(
        items=items.count(),
        units=sums["units"] or 0,
        value=sums["value"] or Decimal(0),
        confirmed=confirmed.count(),
        emails=sent.count(),
        movements=moved.count(),
    )


def confirmation_times(order_ids: Sequence[int]) -> list[timedelta]:
    """From placing to confirming, shortest first, of the orders that are confirmed.

    Both ends are the database's clock in the last statement before the commit: the outbox row
    of placing, the e-mail row of confirming. `changed_at` is a worker's clock before its work.
    """
    placed = OutboxMessage.objects.filter(
        topic=ORDER_PLACED, payload__order_id__in=order_ids
    ).values_list("payload", "created_at")
    confirmed = dict(_confirmations(order_ids).values_list("reference", "created_at"))
    starts = {Order(pk=payload["order_id"]).reference: start for payload, start in placed}
    return sorted(
        confirmed[reference] - start
        for reference, start in starts.items()
        if reference in confirmed
    )


def _confirmations(order_ids: Sequence[int]) -> QuerySet[OutgoingEmail]:
    return OutgoingEmail.objects.filter(reference__in=references(order_ids), kind=CONFIRMATION)


def _status_problems(orders: _Orders) -> Iterator[str]:
    """Each history must be a chain that NEXT allows and end where the order stands."""
    ids = list(orders.values())
    statuses = dict(Order.objects.filter(pk__in=ids).values_list("pk", "status"))
    histories: dict[int, list[tuple[str, str]]] = defaultdict(list)
    changes = OrderStatusChange.objects.filter(order__in=ids).order_by("pk")
    for order_id, old, new in changes.values_list("order_id", "old", "new"):
        histories[order_id].append((old, new))
    for number, order_id in orders.items():
        if statuses[order_id] not in _FULFILLED:
            yield f"{number}: the order is {statuses[order_id]}"
        if not _chains(histories[order_id], statuses[order_id]):
            yield f"{number}: the history {histories[order_id]} does not chain"


def _chains(history: Sequence[tuple[str, str]], status: str) -> bool:
    return (
        bool(history)
        and history[0] == ("", Status.PENDING)
        and history[-1][1] == status
        and all(before[1] == after[0] for before, after in pairwise(history))
        and all(Status(new) in Order.NEXT[Status(old)] for old, new in history[1:])
    )


def _total_problems(sales: Iterable[Invoice], orders: _Orders) -> Iterator[str]:
    """Order, items and file must name the same lines and the same amount, to the penny."""
    ids = list(orders.values())
    totals = dict(Order.objects.filter(pk__in=ids).values_list("pk", "total"))
    items, sums = _items_of(ids)
    placed = [sale for sale in sales if sale.number in orders]
    for sale in placed:
        order_id = orders[sale.number]
        lines = Counter(
            (line.sku.lower(), line.quantity, line.unit_price) for line in sale.lines
        )
        if items[order_id] != lines:
            yield f"{sale.number}: the items are not the lines of the file"
        if not totals[order_id] == sums[order_id] == sale.total:
            yield (
                f"{sale.number}: order {totals[order_id]}, items {sums[order_id]}, "
                f"file {sale.total}"
            )
    in_shop = sum(totals.values(), Decimal(0))
    in_file = sum((sale.total for sale in placed), Decimal(0))
    if in_shop != in_file:
        yield f"all: orders {in_shop}, file {in_file}"


def _items_of(
    order_ids: Sequence[int],
) -> tuple[dict[int, Counter[_Item]], dict[int, Decimal]]:
    """The items of each order as the file writes lines, and the sum of their totals."""
    items: dict[int, Counter[_Item]] = defaultdict(Counter)
    sums: dict[int, Decimal] = defaultdict(Decimal)
    rows = OrderItem.objects.filter(order__in=order_ids).values_list(
        "order_id", "sku", "quantity", "unit_price", "line_total"
    )
    for order_id, sku, quantity, unit_price, line_total in rows.iterator(chunk_size=10_000):
        items[order_id][(sku.lower(), quantity, unit_price)] += 1
        sums[order_id] += line_total
    return items, sums


def _email_problems(orders: _Orders) -> Iterator[str]:
    """Each order must have its one confirmation, and it must have been sent."""
    emails = _confirmations(list(orders.values())).values_list("reference", "status")
    statuses = dict(emails)
    for number, order_id in orders.items():
        status = statuses.get(Order(pk=order_id).reference, "missing")
        if status != OutgoingEmail.Status.SENT:
            yield f"{number}: the e-mail is {status}"
