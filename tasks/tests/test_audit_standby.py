"""manage.py audit --standby: the same lines, judged by the standby's own moment."""

import io
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from apps.catalog.models import StockItem
from apps.orders import emails, fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order
from deploy.embedded import Servers
from shop.outbox.models import OutboxMessage
from tasks.audit import run_audit
from tasks.audit.standby import standby_connection
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant
from tests.pipeline import eventually
from tests.servers import DIRECTORY

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        Servers(DIRECTORY).standby.url() != os.environ["DATABASE_REPLICA_URL"],
        reason="only a standby that the suite started may be paused",
    ),
]


def standby(sql: str) -> str:
    """What the statements print there, as superuser."""
    return Servers(DIRECTORY).standby.sql(sql)


@pytest.fixture(autouse=True)
def the_test_database(settings: Any) -> None:
    server = settings.DATABASE_REPLICA_URL.rpartition("/")[0]
    name = connection.settings_dict["NAME"]
    # Nothing here is about waiting for a lock.
    settings.DATABASE_REPLICA_URL = f"{server}/{name}?options=-c%20lock_timeout%3D0"


@pytest.fixture
def paused() -> Iterator[None]:
    """Tests end it themselves; this makes sure."""
    yield
    standby("SELECT pg_wal_replay_resume()")


@pytest.fixture
def impatient() -> Iterator[None]:
    """The standby prefers what the primary says to whoever reads."""
    set_delay = "ALTER SYSTEM {} max_standby_streaming_delay {}; SELECT pg_reload_conf()"
    standby(set_delay.format("SET", "= 0"))
    yield
    standby(set_delay.format("RESET", ""))


def caught_up() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()")
        (written,) = cursor.fetchone()
    replayed = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
    eventually(lambda: standby(replayed) == "t", what="the standby caught up")


def placed() -> Order:
    mug = make_variant(on_hand=1)
    order = place_order(make_purchase(make_customer()), lines=[make_line(mug)], now=NOON)
    OutboxMessage.objects.update(sent_at=NOON)
    return order


def audit() -> str:
    out = io.StringIO()
    call_command("audit", "--standby", stdout=out)
    return out.getvalue()


def test_audits_the_standby() -> None:
    order = placed()
    fulfilment.confirm(order.pk, now=NOON)
    emails.send_confirmation(order.pk, now=NOON)
    caught_up()
    assert "I3  legality               ok          1 order, 2 status changes" in audit()
    StockItem.objects.update(on_hand=7)
    caught_up()
    with pytest.raises(CommandError, match="violated: I1"):
        audit()


def test_judges_a_standby_that_lags_by_the_moment_that_it_shows(paused: None) -> None:
    order = place_order(
        make_purchase(make_customer()),
        lines=[make_line(make_variant(on_hand=1))],
        now=timezone.now(),
    )
    OutboxMessage.objects.update(sent_at=timezone.now())
    caught_up()
    standby("SELECT pg_wal_replay_pause()")
    eventually(
        lambda: standby("SELECT pg_get_wal_replay_pause_state()") == "paused", what="paused"
    )
    fulfilment.confirm(order.pk, now=timezone.now())  # the standby does not hear of it
    eventually(
        lambda: standby("SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()") == "t",
        what="something received and not replayed",
    )
    tomorrow = timezone.now() + timedelta(days=1)
    with standby_connection() as connected:
        assert lost(connected, now=tomorrow) == 0
        standby("SELECT pg_wal_replay_resume()")
        caught_up()
        Order.objects.filter(pk=order.pk).update(status="pending")
        caught_up()
        assert lost(connected, now=tomorrow) == 1


def lost(connected: Any, *, now: Any) -> int:
    found = run_audit(now=now, connection=connected)
    return {finding.code: finding.violations for finding in found}["I4"]


def test_a_recovery_conflict_ends_it_with_2_and_says_what_it_was(impatient: None) -> None:
    ended: list[CommandError] = []

    def run() -> None:
        try:
            audit()
        except CommandError as error:
            ended.append(error)

    auditing = threading.Thread(target=run)
    with transaction.atomic():
        lock("tasks_deadletter")
        is_locked = "SELECT count(*) > 0 FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
        eventually(lambda: standby(is_locked) == "t", what="the lock taken on the standby")
        auditing.start()
        # It has read the items, and waits before the dead letters.
        waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        eventually(lambda: standby(waits) == "t", what="the audit waiting")
        lock("orders_orderitem")
        auditing.join(timeout=60)
    (error,) = ended
    assert error.returncode == 2
    assert "(a recovery conflict). Run it again, or without --standby." in str(error)


def lock(table: str) -> None:
    """Lock it on the primary, and in consequence on the standby."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    # Nobody sends what has not been committed, unless somebody else commits behind it.
    Servers(DIRECTORY).primary.sql("CREATE TABLE behind_it (); DROP TABLE behind_it")
