"""A primary that dies, locks, or has no connection left."""

import os
import threading
import time
from contextlib import suppress

import psycopg2
import requests
from django.db import connection, transaction

from apps.catalog.models import StockItem
from chaos.clients import Wish
from chaos.rows.row import row
from chaos.trial import Trial

_PRODUCTS = "api/catalog/products/"
_BY_THE_PRIMARY = {"X-Read-Token": "unreadable"}


@row(
    14,
    "primary kill -9 in mid-transaction",
    holds="a retry with the key succeeds",
    is_slow=True,
)
def killed(trial: Trial) -> None:
    times = 3
    with trial.buying() as crowd:
        for n in range(1, times + 1):
            goal = n * len(crowd.wishes) / (times + 1)
            trial.wait_for("more bought", lambda goal=goal: crowd.done >= goal)  # type: ignore[misc]
            connection.close()
            trial.world.servers.kill("primary")
            trial.world.servers.start("primary")
    trial.fault_ends()
    trial.settle()
    trial.count_faults(times)
    trial.report_checkouts()
    trial.all_placed()


@row(15, "baskets in opposite order", holds="no deadlock, no error for a shopper", is_slow=True)
def opposite_orders(trial: Trial) -> None:
    before = _deadlocks()
    products = trial.stock(trial.orders, products=8)
    wishes = [
        Wish(items=dict.fromkeys(products[:: 1 if n % 2 else -1], 1))
        for n in range(trial.orders)
    ]
    with trial.buying(wishes):
        pass
    trial.settle()
    time.sleep(1)  # PostgreSQL's statistics are a second late
    trial.count_faults(trial.orders)
    trial.require(_deadlocks() == before, f"{_deadlocks() - before} deadlocks")
    trial.require_no_server_errors()
    trial.all_placed()


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[0])


@row(
    16,
    "somebody holds the stock's rows for 8 s",
    holds="503 with Retry-After after 2 s",
    is_slow=True,
)
def locked(trial: Trial) -> None:
    wishes = trial.make_wishes(products=trial.stock(3 * trial.orders))
    holder = threading.Thread(target=_hold_all_stock, args=[8])
    holder.start()
    # One shopper: two in the same process of the web would wait for each other, too.
    with trial.buying(wishes, clients=1):
        holder.join()
        trial.fault_ends()
    trial.settle()
    trial.report_checkouts()
    refused = [answer for answer in trial.checkouts() if answer.outcome != "ok"]
    trial.count_faults(len(refused))
    clear = [a for a in refused if a.status in (409, 503) and a.may_retry]
    trial.require(bool(refused), "nobody had to wait")
    trial.require(len(clear) == len(refused), f"{len(refused) - len(clear)} unclear refusals")
    slowest = max((answer.seconds for answer in refused), default=0.0)
    trial.figure("slowest refusal", f"{slowest:.1f} s")
    # Without the 2 s for a lock, the 5 s for any statement would end it.
    trial.require(slowest < 4, f"a refusal took {slowest:.1f} s")
    trial.all_placed()


def _hold_all_stock(seconds: float) -> None:
    try:
        with transaction.atomic():
            list(StockItem.objects.select_for_update())
            time.sleep(seconds)
    finally:
        connection.close()


@row(34, "no database connection left", holds="503 fast, honest health, no hang", is_slow=True)
def no_connection_left(trial: Trial) -> None:
    wishes = trial.make_wishes(products=trial.stock(3 * trial.orders))
    slowest = 0.0
    taken = _take_all_connections()
    with trial.buying(wishes):
        until = time.monotonic() + 6
        while time.monotonic() < until:
            slowest = max(slowest, _ask(trial, "health/live", expected={200}))
            slowest = max(slowest, _ask(trial, "health/ready", expected={503}))
            # The standby has connections left; whoever must not read it is told to wait.
            slowest = max(slowest, _ask(trial, _PRODUCTS, expected={200, 503}))
            slowest = max(slowest, _ask(trial, _PRODUCTS, expected={503}, **_BY_THE_PRIMARY))
        for one in taken:
            one.close()
        trial.fault_ends()
    trial.settle()
    trial.count_faults(len(taken))
    trial.report_checkouts()
    trial.figure("slowest answer", f"{slowest:.1f} s")
    trial.require(slowest < 3, f"an answer took {slowest:.1f} s")
    trial.figure("slowest call of a shopper", f"{trial.slowest_call():.1f} s")
    trial.require(trial.slowest_call() < 5, f"a call took {trial.slowest_call():.1f} s")
    trial.all_placed()


def _take_all_connections() -> list[psycopg2.extensions.connection]:
    """Every connection that the shop's role may have, ours now."""
    connection.close()
    taken: list[psycopg2.extensions.connection] = []
    for _ in range(5):  # the shop's processes fight for theirs
        with suppress(psycopg2.OperationalError):
            while True:
                taken.append(psycopg2.connect(os.environ["DATABASE_URL"]))
        with taken[0], taken[0].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = current_user AND pid <> ALL(%s)",
                [[one.get_backend_pid() for one in taken]],
            )
    with suppress(psycopg2.OperationalError):
        taken.append(psycopg2.connect(os.environ["DATABASE_URL"]))
    return taken


def _ask(trial: Trial, path: str, *, expected: set[int], **headers: str) -> float:
    started = time.monotonic()
    try:
        status = requests.get(
            f"{trial.world.url}/{path}", headers=headers, timeout=10
        ).status_code
    except requests.RequestException as error:
        trial.require(False, f"{path}: {type(error).__name__}")
        return time.monotonic() - started
    trial.require(status in expected, f"{path} answers {status}")
    return time.monotonic() - started
