"""The audit sees one moment while the shop sells, writes nothing, and leaves nothing behind."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from apps.accounts.models import Customer
from apps.catalog.models import Variant
from apps.orders import emails, fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order
from tasks.audit import Finding, run_audit
from tasks.models import Heartbeat
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant
from tests.pipeline import eventually, worker_environment
from tests.servers import figures

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS = 3


def test_never_reports_a_violation_while_orders_are_placed_and_confirmed() -> None:
    customers = [make_customer(f"buyer{number}") for number in range(BUYERS)]
    mug, cup = make_variant(on_hand=100_000), make_variant("CUP", on_hand=100_000)
    with _buying(customers, [mug, cup]):
        audits = [run_audit(now=timezone.now())]
        while _figures(audits[-1])["I3"]["orders"] < 60:
            audits.append(run_audit(now=timezone.now()))
    for findings in audits:
        assert [str(finding) for finding in findings if finding.violations] == []
        assert_of_one_moment(findings)
    assert len(audits) > 3
    figures.append(f"{len(audits)} audits while {Order.objects.count()} orders were placed")


def assert_of_one_moment(findings: list[Finding]) -> None:
    """Lines that count the same thing, at different times, have counted the same."""
    by_code = _figures(findings)
    assert by_code["I1"]["order lines"] == by_code["I10"]["order lines"]
    assert by_code["I2"]["status changes"] == by_code["I3"]["status changes"]
    assert by_code["I3"]["orders"] == by_code["I10"]["orders"]
    assert by_code["I1"]["pending orders"] == by_code["I4"]["pending orders"]


def _figures(findings: list[Finding]) -> dict[str, dict[str, int]]:
    return {finding.code: finding.figures for finding in findings}


@contextmanager
def _buying(customers: list[Customer], variants: list[Variant]) -> Iterator[None]:
    stopping = threading.Event()
    failed: list[Exception] = []

    def buy(customer: Customer) -> None:
        try:
            for number in count():
                if stopping.is_set():
                    return
                _live_through_an_order(customer, variants, number)
        except Exception as error:  # noqa: BLE001 shown by the test, not by the thread
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=buy, args=(customer,)) for customer in customers]
    for thread in threads:
        thread.start()
    try:
        # The first audit shall find some orders.
        while not failed and Order.objects.count() < BUYERS:
            pass
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert failed == []


def _live_through_an_order(customer: Customer, variants: list[Variant], number: int) -> None:
    now = timezone.now()
    lines = [make_line(variant, 1 + number % 3) for variant in variants]
    order = place_order(make_purchase(customer), lines=lines, now=now)
    if number % 5 == 0:
        fulfilment.cancel(order.pk, now=now)
    fulfilment.update_inventory(order.pk, now=now)
    fulfilment.confirm(order.pk, now=now)
    emails.send_confirmation(order.pk, now=now)
    if number % 3 == 0:
        fulfilment.cancel(order.pk, now=now)
    elif number % 5:
        fulfilment.ship(order.pk, now=now)


def test_cannot_write() -> None:
    def write(_finding: Finding) -> None:
        Heartbeat.objects.create(name="audit", at=NOON)

    with pytest.raises(DatabaseError, match="read-only transaction"):
        run_audit(now=NOON, on_finding=write)
    assert not Heartbeat.objects.exists()


def test_may_take_longer_than_a_page_and_lets_the_others_have_their_limit() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        (usual,) = cursor.fetchone()
        cursor.execute("SET statement_timeout = 50")
        try:
            run_audit(
                now=NOON, on_finding=lambda _finding: cursor.execute("SELECT pg_sleep(0.1)")
            )
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("50ms",)
        finally:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [usual])


def test_refuses_to_be_part_of_a_transaction_whose_moment_is_another() -> None:
    with transaction.atomic(), pytest.raises(TransactionManagementError):
        run_audit(now=NOON)


def test_a_lost_connection_is_reported_as_what_it_is_and_ends_nothing_else() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    threads = []

    def lose(finding: Finding) -> None:
        if finding.code == "I3":
            threads.append(threading.Thread(target=_terminate, args=(pid,)))
            threads[0].start()
            threads[0].join()

    with pytest.raises(OperationalError, match="clos|terminat"):
        run_audit(now=NOON, on_finding=lose)
    connection.close_if_unusable_or_obsolete()
    assert run_audit(now=NOON, grace=timedelta(0))


_SCRIPT = """
import django; django.setup()
from django.db import connection
from django.utils import timezone
from tasks.audit import run_audit
def sleep(finding):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")
run_audit(now=timezone.now(), on_finding=sleep)
"""


def test_a_killed_audit_leaves_no_query_behind() -> None:
    asleep = "SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"

    def is_asleep() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"{asleep} AND state = 'active'")
            return cursor.fetchone() is not None

    command = [sys.executable, "-c", _SCRIPT]
    with subprocess.Popen(command, env=worker_environment()) as audit:  # noqa: S603 ours
        eventually(is_asleep, what="the audit asleep")
        audit.kill()
    eventually(lambda: not is_asleep(), what="its query ended", seconds=20)


def _terminate(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])
    connections.close_all()
