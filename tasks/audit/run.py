"""Asking every invariant, all of them of one snapshot of the database."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.transaction import TransactionManagementError

from apps.orders.models import Order
from tasks.audit import messages, orders, stock
from tasks.audit.invariant import GUARDS_MISSING, Invariant

INVARIANTS = (
    stock.CONSERVATION,
    stock.ONCE,
    orders.LEGALITY,
    orders.NONE_LOST,
    orders.ONE_PER_KEY,
    orders.NO_DOUBLE_CHARGE,
    messages.ONE_CONFIRMATION,
    messages.ACCOUNTED_FOR,
    orders.PRICE,
)
# Longer than every retry of a step with its longest waits (15 minutes), and than a sweep needs
# to begin anew what got lost (25 minutes and one).
GRACE = timedelta(minutes=30)


class UnknownOrder(Exception):
    """No order has this number."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One violation: a SKU, an order's number or a message, and what is wrong with it."""

    subject: str
    problem: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one invariant covered, how often it is violated, and the first violations."""

    code: str
    title: str
    figures: dict[str, int]
    violations: int
    samples: list[Sample]
    seconds: float

    def __str__(self) -> str:
        samples = "; ".join(str(sample) for sample in self.samples)
        return f"{self.code} {self.title}: {self.violations} violations: {samples}"


def run_audit(
    *,
    now: datetime,
    grace: timedelta = GRACE,
    number: str | None = None,
    connection: BaseDatabaseWrapper | None = None,
    on_finding: Callable[[Finding], None] = lambda _finding: None,
) -> list[Finding]:
    """What each invariant finds, of all orders or of the one with this number.

    What is younger than `grace` may still be on its way. Writes nothing, and sees one moment
    of the database however long it takes: so it must not be called inside a transaction.
    Needs little memory however much there is: only figures and a few samples leave the
    database. Raises UnknownOrder, and DatabaseError when it cannot finish.
    """
    with _snapshot(connection or connections["default"]) as cursor:
        return ask_all(cursor, now=now, grace=grace, number=number, on_finding=on_finding)


def ask_all(
    cursor: CursorWrapper,
    *,
    now: datetime,
    grace: timedelta,
    number: str | None = None,
    on_finding: Callable[[Finding], None] = lambda _finding: None,
) -> list[Finding]:
    """As run_audit, of what the cursor's transaction sees."""
    parameters = {"cutoff": _as_of(cursor, now) - grace, **_order(cursor, number)}
    findings = []
    for invariant in INVARIANTS:
        finding = _ask(cursor, invariant, parameters)
        findings.append(finding)
        on_finding(finding)
    return findings


@contextmanager
def _snapshot(connection: BaseDatabaseWrapper) -> Iterator[CursorWrapper]:
    if connection.in_atomic_block:
        raise TransactionManagementError("The audit was called inside a transaction.")
    with connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        try:
            # For this transaction only: on a large shop a line takes longer than a page may.
            cursor.execute("SET LOCAL statement_timeout = 0")
            # Without that limit the server would go on for an audit that was killed.
            cursor.execute("SET LOCAL client_connection_check_interval = '1s'")
            yield cursor
        finally:
            with suppress(DatabaseError):  # else a lost connection would hide why it was lost
                cursor.execute("ROLLBACK")


# A standby that lags shows the shop as it was: what is late must be judged by that moment.
# One that has replayed all that it receives is as current as the primary.
_AS_OF = """
    SELECT CASE
        WHEN NOT pg_is_in_recovery() THEN %(now)s::timestamptz
        WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
             AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN %(now)s::timestamptz
        ELSE least(%(now)s::timestamptz, pg_last_xact_replay_timestamp()) END
"""


def _as_of(cursor: CursorWrapper, now: datetime) -> datetime:
    cursor.execute(_AS_OF, {"now": now})
    row: tuple[datetime] = cursor.fetchone()
    return row[0]


_ORDER = """
    SELECT id, ARRAY(
        SELECT variant_id FROM orders_orderitem WHERE order_id = orders_order.id
        UNION
        SELECT variant_id FROM catalog_stockmovement
        WHERE reference = 'order-' || orders_order.id
    ) FROM orders_order WHERE number = %(number)s
"""


def _order(cursor: CursorWrapper, number: str | None) -> dict[str, Any]:
    """The parameters that narrow every question to one order, or to none in particular."""
    if number is None:
        return {"order": None, "reference": None, "variants": None}
    cursor.execute(_ORDER, {"number": number})
    row = cursor.fetchone()
    if row is None:
        raise UnknownOrder(f"There is no order {number}.")
    order_id, variants = row
    return {"order": order_id, "reference": Order(pk=order_id).reference, "variants": variants}


# One statement for each invariant. Violations are counted and cut in the database: a shop in
# which every row is wrong must not end in this process's memory.
_QUESTION = """
    WITH {facts} figures AS ({figures}),
         bad (subject, problem) AS ({violations} UNION ALL {guards})
    SELECT (SELECT row_to_json(figures)::text FROM figures),
           (SELECT count(*) FROM bad),
           (SELECT json_agg(sample)::text FROM (
               SELECT subject, problem FROM bad ORDER BY subject, problem LIMIT 20
           ) AS sample)
"""


def _ask(cursor: CursorWrapper, invariant: Invariant, parameters: dict[str, Any]) -> Finding:
    started = time.monotonic()
    question = _QUESTION.format(
        facts="".join(f"{name} AS ({sql})," for name, sql in invariant.facts.items()),
        figures=invariant.figures,
        violations=invariant.violations,
        guards=GUARDS_MISSING,
    )
    guards = invariant.guards.parameters()
    cursor.execute(question, {**parameters, **guards, **invariant.parameters})
    figures, violations, samples = cursor.fetchone()
    return Finding(
        code=invariant.code,
        title=invariant.title,
        figures=json.loads(figures),
        violations=violations,
        samples=[Sample(**sample) for sample in json.loads(samples or "[]")],
        seconds=time.monotonic() - started,
    )
