"""What must be true after a trial: by the clients' notes, the mail server, and the audit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from apps.catalog.models import StockMovement
from apps.orders.models import Order, OrderItem, Status
from chaos.clients import Wish
from chaos.faults import plan
from shop.clock import database_time
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks.audit import run_audit
from tasks.models import DeadLetter


@dataclass(kw_only=True)
class Verdict:
    """The figures of a trial. It is sound when `failures` is empty."""

    faults: int = 0
    orders: int = 0
    lost: int = 0
    oversold: int = 0
    duplicates: int = 0
    absorbed: int = 0
    recovery: float = 0.0
    figures: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def is_settled(*, mails: bool) -> bool:
    """Whether nothing is on its way any more: what is left, a person can see."""
    if OutboxMessage.objects.waiting().exists():
        return False
    # Without those of no order: NOT IN is never true beside a NULL.
    seen = DeadLetter.objects.open().exclude(order_id=None).values("order_id")
    if Order.objects.filter(status=Status.PENDING).exclude(pk__in=seen).exists():
        return False
    queued = Q(status="queued")
    # One that is older died with its sender: the mail server is waited for ten seconds at most.
    is_being_sent = Q(status="sending", claimed_at__gte=database_time() - timedelta(seconds=15))
    return not mails or not OutgoingEmail.objects.filter(queued | is_being_sent).exists()


def judge(verdict: Verdict, *, wishes: Sequence[Wish], copies: Counter[str]) -> None:
    """Fill in what every trial is judged by."""
    numbers = {wish.order_number for wish in wishes if wish.order_number}
    known = set(Order.objects.filter(number__in=numbers).values_list("number", flat=True))
    verdict.orders = Order.objects.count()
    verdict.lost = len(numbers - known) + _forgotten()
    verdict.oversold = _oversold()
    verdict.duplicates = _mailed_too_often(copies)
    runs = plan.notes("runs")
    verdict.absorbed += len(plan.notes("redelivered")) + len(runs) - len(set(runs))
    for name in ("lost", "oversold", "duplicates"):
        if number := getattr(verdict, name):
            verdict.failures.append(f"{name}: {number}")
    _compare_mails(verdict, copies)
    verdict.figures["placed to confirmed p95"] = f"{_p95_to_confirmed():.2f} s"
    for finding in run_audit(now=timezone.now(), grace=timedelta(0)):
        if finding.violations:
            verdict.failures.append(f"audit {finding}")


def _p95_to_confirmed() -> float:
    """Seconds; the fault's own time included."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(percentile_cont(0.95) WITHIN GROUP ("
            " ORDER BY extract(epoch FROM changed_at - placed_at)), 0)"
            " FROM orders_orderstatuschange JOIN orders_order ON orders_order.id = order_id"
            " WHERE new = 'confirmed'"
        )
        return float(cursor.fetchone()[0])


def _forgotten() -> int:
    """Pending orders that nothing works on and nobody sees."""
    waiting = OutboxMessage.objects.waiting().values_list("payload__order_id", flat=True)
    seen = {*waiting, *DeadLetter.objects.open().values_list("order_id", flat=True)}
    pending = Order.objects.filter(status=Status.PENDING).values_list("pk", flat=True)
    return len(set(pending) - seen)


def _oversold() -> int:
    """Units in orders that hold, beyond what ever came in."""
    received = _units(StockMovement.objects.filter(kind="receipt"))
    bought = _units(OrderItem.objects.exclude(order__status=Status.CANCELLED))
    return sum(max(0, units - received[variant]) for variant, units in bought.items())


def units_bought(product: int) -> int:
    """Units of a product in orders that hold."""
    items = OrderItem.objects.filter(variant__product=product)
    return sum(_units(items.exclude(order__status=Status.CANCELLED)).values())


def _units(rows: QuerySet[Any]) -> Counter[int]:
    sums = rows.values_list("variant_id").annotate(units=Sum("quantity")).order_by()
    return Counter(dict(sums))


def _mailed_too_often(copies: Counter[str]) -> int:
    """Mails beyond the first of a kind about one order, and those that no row knows."""
    about = {email.message_id: email.reference for email in OutgoingEmail.objects.all()}
    strangers = sum(times for name, times in copies.items() if name not in about)
    arrived: Counter[str] = Counter()
    for name in about.keys() & copies.keys():
        arrived[about[name]] += copies[name]
    return strangers + sum(times - 1 for times in arrived.values())


def _compare_mails(verdict: Verdict, copies: Counter[str]) -> None:
    """Every order that is confirmed has its mail, or a row that says it is in doubt."""
    by_status = Counter(OutgoingEmail.objects.values_list("status", flat=True))
    verdict.figures["mails"] = ", ".join(f"{n} {s}" for s, n in sorted(by_status.items()))
    for email in OutgoingEmail.objects.filter(status="sent"):
        if email.message_id not in copies:
            verdict.failures.append(f"{email} counts as sent and never arrived")
