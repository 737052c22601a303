"""A standby that is late, goes away, or becomes a primary, while shoppers browse and buy."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import requests

from apps.catalog.models import Variant
from apps.orders.models import OrderItem
from chaos.rows.row import row
from chaos.trial import Trial
from deploy.embedded.process import wait_until
from deploy.embedded.standby import Standby
from shop.percentiles import percentile
from tests.standby import cut_off, killed, lagging, promoted, stopped

_PAGES = ("products/", "categories/", "brands/")
_BACK_WITHIN = 10  # seconds, after the standby is there again
_BELIEVED = 2  # seconds; more than a process goes by what it last heard of a standby


class Browser(threading.Thread):
    """Somebody who looks at one page of the catalogue after the other."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._ended = threading.Event()
        self.seconds: list[float] = []
        self.failures: list[str] = []

    def run(self) -> None:
        number = 0
        while not self._ended.is_set():
            self._look(_PAGES[number % len(_PAGES)])
            number += 1

    def end(self) -> None:
        self._ended.set()
        self.join()

    def _look(self, page: str) -> None:
        started = time.monotonic()
        try:
            status = requests.get(f"{self._url}/api/catalog/{page}", timeout=15).status_code
        except requests.RequestException as error:
            self.failures.append(f"{page}: {type(error).__name__}")
        else:
            if status != 200:
                self.failures.append(f"{page}: {status}")
        self.seconds.append(time.monotonic() - started)


@contextmanager
def _browsing(trial: Trial) -> Iterator[None]:
    """Every page that is looked at meanwhile has to come."""
    browser = Browser(trial.world.url)
    browser.start()
    try:
        yield
    finally:
        browser.end()
    trial.figure("pages", len(browser.seconds))
    trial.figure("page p99", f"{percentile(browser.seconds, 99):.2f} s")
    trial.require(
        not browser.failures, f"{len(browser.failures)} pages failed: {browser.failures[:3]}"
    )


def _checkout_did_not_notice(trial: Trial, faults: int) -> None:
    trial.settle()
    trial.count_faults(faults)
    trial.report_checkouts()
    trial.require_no_server_errors()
    trial.all_placed()


@row(
    17,
    "standby 0.2, 3 and 30 s late",
    holds="pages come; orders at today's price",
    is_slow=True,
)
def late(trial: Trial) -> None:
    lags = (0.2, 3.0, 30.0)
    trial.wait_for("it is read at first", lambda: _is_read(trial))
    with _browsing(trial):
        for lag in lags:
            with lagging(trial.world.servers.standby, seconds=lag):
                # The standby does not know these products, or only their old price.
                products = trial.stock(trial.orders)
                Variant.objects.filter(product__in=products).update(price="11.00")
                wishes = trial.make_wishes(trial.orders // len(lags), products=products)
                with trial.buying(wishes):
                    pass
    trial.fault_ends()
    _checkout_did_not_notice(trial, len(lags))
    old = OrderItem.objects.exclude(unit_price="11.00").count()
    trial.require(old == 0, f"{old} items at yesterday's price")


@row(
    18,
    "standby killed, stopped, cut off",
    holds="pages come from the primary, and from the standby within 10 s of its return",
    is_slow=True,
)
def away(trial: Trial) -> None:
    ways = (killed, stopped, cut_off)
    products = trial.stock(3 * trial.orders)
    with _browsing(trial):
        for way in ways:
            wishes = trial.make_wishes(trial.orders // len(ways), products=products)
            with way(trial.world.servers.standby), trial.buying(wishes):
                pass
            back = wait_until(lambda: _is_read(trial), seconds=_BACK_WITHIN)
            trial.require(back, f"after {way.__name__}: not read again in {_BACK_WITHIN} s")
    trial.fault_ends()
    _checkout_did_not_notice(trial, len(ways))


def _is_read(trial: Trial) -> bool:
    """Whether a page makes a session of the web's read something there."""
    standby = trial.world.servers.standby
    counted = "select coalesce(sum(idx_scan + seq_scan), 0) from pg_stat_all_tables"
    where = " where relname in ('catalog_product', 'catalog_brand')"
    with suppress(requests.RequestException):
        before = _sql(standby, counted + where)
        for page in _PAGES:
            requests.get(f"{trial.world.url}/api/catalog/{page}", timeout=15)
        time.sleep(1)  # the server's statistics are a second late
        return _sql(standby, counted + where) != before
    return False


def _sql(standby: Standby, statement: str) -> str:
    return standby.sql(statement, database="ecommerce")


def _page(trial: Trial) -> str:
    return requests.get(f"{trial.world.url}/api/catalog/products/", timeout=15).text


@row(19, "standby promoted", holds="it is read no more; checkout does not notice", is_slow=True)
def taken_over(trial: Trial) -> None:
    standby = trial.world.servers.standby
    products = trial.stock(3 * trial.orders)
    trial.wait_for("it is read at first", lambda: _is_read(trial))
    with _browsing(trial), promoted(standby):
        _sql(standby, "update catalog_product set name = 'Sold elsewhere'")
        with trial.buying(trial.make_wishes(products=products)):
            pass
        time.sleep(_BELIEVED)
        pages = [_page(trial) for _ in range(8)]  # of each process of the web
        trial.require(not any("Sold elsewhere" in page for page in pages), "it is still read")
    trial.fault_ends()
    _checkout_did_not_notice(trial, 1)
