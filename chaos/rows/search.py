"""A search engine that is killed, frozen and started again while shoppers search and buy."""

import os
import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import requests
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from apps.catalog.models import Product
from apps.catalog.search.indexing.comparing import compare
from apps.catalog.search.models import DirtyProduct, SearchIndex
from chaos.rows.row import row
from chaos.trial import Trial

_AWAY = 6.0  # seconds, each time
_AT_MOST = 0.5  # seconds that 95 of 100 searches take


class Searcher(threading.Thread):
    """Somebody who searches, and looks who answers."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = f"{url}/api/catalog/search/"
        self._ended = threading.Event()
        self.seconds: list[float] = []
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        while not self._ended.is_set():
            started = time.monotonic()
            self.answers[self.ask()] += 1
            self.seconds.append(time.monotonic() - started)

    def ask(self) -> str:
        """The engine's name; else what went wrong."""
        try:
            answer = requests.get(self._url, {"q": "product"}, timeout=15)
        except requests.RequestException as error:
            return type(error).__name__
        return str(answer.json()["engine"]) if answer.ok else str(answer.status_code)

    def end(self) -> None:
        self._ended.set()
        self.join()


class Editor(threading.Thread):
    """Staff who save one product after the other: each save has to succeed."""

    def __init__(self, products: list[int]) -> None:
        super().__init__(daemon=True)
        self._products = products
        self._ended = threading.Event()
        self.saved = 0
        self.slowest = 0.0

    def run(self) -> None:
        while not self._ended.wait(0.1):
            started = time.monotonic()
            product = self._products[self.saved % len(self._products)]
            Product.objects.filter(pk=product).update(name=f"Product, edition {self.saved}")
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.saved += 1
        connection.close()  # this thread's own

    def end(self) -> None:
        self._ended.set()
        self.join()


@contextmanager
def _engine(trial: Trial) -> Iterator[str]:
    """The shop with an engine; its address."""
    servers = trial.world.servers
    servers.start("opensearch")
    url = servers.opensearch.url()
    before, settings.SEARCH_URL = settings.SEARCH_URL, url
    with trial.world.replaced("web", "worker-search", environment={"SEARCH_URL": url}):
        try:
            yield url
        finally:
            settings.SEARCH_URL = before
            servers.stop("opensearch")


def _killed(trial: Trial) -> None:
    trial.world.servers.kill("opensearch")
    time.sleep(_AWAY)
    trial.world.servers.start("opensearch")


def _frozen(trial: Trial) -> None:
    pid = trial.world.servers.opensearch.pid()
    assert pid is not None  # noqa: S101 it was started
    os.kill(pid, signal.SIGSTOP)
    time.sleep(_AWAY)
    os.kill(pid, signal.SIGCONT)


@row(
    21,
    "search engine killed, frozen, started again",
    holds="no 5xx, 95 of 100 searches below 0.5 s, every save; afterwards the index equals"
    " the database, and is searched again",
    is_slow=True,
)
def away(trial: Trial) -> None:
    with _engine(trial):
        products = trial.stock(3 * trial.orders)
        call_command("init_search", stdout=StringIO())
        searchers = [Searcher(trial.world.url) for _ in range(2)]
        editor = Editor(products)
        with trial.buying(trial.make_wishes(products=products)):
            for searcher in searchers:
                searcher.start()
            editor.start()
            for fault in (_killed, _frozen):
                fault(trial)
                back = trial.wait_for(
                    "searched again", lambda: searchers[0].ask() == "opensearch", seconds=30
                )
                trial.require(back, f"after {fault.__name__} it is not searched again")
        trial.fault_ends()
        for searcher in searchers:
            searcher.end()
        editor.end()
        _judge(trial, searchers, editor)
        trial.settle()
    trial.count_faults(2)
    trial.require_no_server_errors()
    trial.all_placed()


def _judge(trial: Trial, searchers: list[Searcher], editor: Editor) -> None:
    seconds = [each for searcher in searchers for each in searcher.seconds]
    answers = sum((searcher.answers for searcher in searchers), Counter[str]())
    p95 = statistics.quantiles(seconds, n=20)[-1]
    trial.figure("searches", dict(answers))
    trial.figure("search p95", f"{p95:.2f} s")
    trial.figure("saves", f"{editor.saved}, the slowest {editor.slowest:.2f} s")
    trial.require(set(answers) <= {"opensearch", "postgres"}, f"searches failed: {answers}")
    trial.require(p95 < _AT_MOST, f"95 of 100 searches took up to {p95:.2f} s")
    trial.require(editor.saved > 0, "nothing was saved")
    trial.wait_for(
        "all that changed is in the index", lambda: not DirtyProduct.objects.exists()
    )
    live = SearchIndex.objects.get(state=SearchIndex.State.LIVE)
    different = compare(live.name, with_content=True).different
    trial.require(different == 0, f"{different} products differ between index and database")
