"""A search engine that is killed, frozen and started again while shoppers search and buy."""

import math
import os
import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from secrets import token_urlsafe
from typing import Any

import requests
from django.conf import settings
from django.core.management import call_command

from apps.accounts.models import User
from apps.catalog.models import Product
from apps.catalog.search.indexing.comparing import compare
from apps.catalog.search.models import DirtyProduct, SearchIndex
from chaos.clients import TIMEOUT
from chaos.rows.row import row
from chaos.trial import Trial
from shop.percentiles import percentile

_AWAY = 6.0  # seconds, each time
_AT_MOST = 0.5  # seconds that 95 of 100 searches take
_SAVE_AT_MOST = 1.0  # seconds that half of the saves take while the engine is away
_IN_PEACE = 3.0  # seconds before the first fault and after each return
_MOST = 0.5  # of the searches then, by the engine


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
    """Staff who save one product after the other in the admin: each has to be saved."""

    def __init__(self, url: str, products: Sequence[int]) -> None:
        super().__init__(daemon=True)
        self._admin = f"{url}/admin"
        self._products = list(
            Product.objects.filter(pk__in=products).values("pk", "slug", "category")
        )
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and our own machine
        self._ended = threading.Event()
        self.seconds: list[float] = []
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        while not self._ended.wait(0.2):
            started = time.monotonic()
            product = self._products[len(self.seconds) % len(self._products)]
            self.answers[self._save(product)] += 1
            self.seconds.append(time.monotonic() - started)

    def log_in(self) -> None:
        """Raises what requests does if that is not possible."""
        password = token_urlsafe()
        sue = User.objects.create_superuser("sue@example.com", password)
        self._session.get(f"{self._admin}/login/", timeout=TIMEOUT).raise_for_status()
        self._post("login/", {"username": sue.email, "password": password}).raise_for_status()

    def _save(self, product: Mapping[str, Any]) -> str:
        """Whether it is saved; else what went wrong."""
        form = {
            "name": f"Product, edition {len(self.seconds)}",
            "slug": product["slug"],
            "category": product["category"],
            "is_published": "on",
            "variants-TOTAL_FORMS": 0,  # they stay as they are
            "variants-INITIAL_FORMS": 0,
        }
        try:
            answer = self._post(f"catalog/product/{product['pk']}/change/", form)
        except requests.RequestException as error:
            return type(error).__name__
        is_saved = answer.headers.get("location", "").endswith("/catalog/product/")
        return "saved" if is_saved else str(answer.status_code)

    def _post(self, page: str, form: Mapping[str, Any]) -> requests.Response:
        token = self._session.cookies[settings.CSRF_COOKIE_NAME]
        return self._session.post(
            f"{self._admin}/{page}",
            data={**form, "csrfmiddlewaretoken": token},
            headers={"Referer": self._admin},
            allow_redirects=False,
            timeout=TIMEOUT,
        )

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


def _require_quick(trial: Trial, saves: Sequence[float], when: str) -> None:
    """A save that waits for the engine takes seconds, or does not end meanwhile."""
    median = statistics.median(saves) if saves else math.inf
    trial.figure(f"saves {when}", f"{len(saves)}, half of them below {median:.2f} s")
    trial.require(median < _SAVE_AT_MOST, f"{when} half of the saves take {median:.2f} s")


def _in_peace(trial: Trial, searchers: Sequence[Searcher], editor: Editor, when: str) -> None:
    """Search and save for some seconds while the engine is there, and it is what answers."""
    searched, saved = _answers(searchers), editor.answers.copy()
    time.sleep(_IN_PEACE)
    searched, saved = _answers(searchers) - searched, editor.answers - saved
    share = searched["opensearch"] / max(1, searched.total())
    trial.figure(f"by the engine {when}", f"{searched['opensearch']} of {searched.total()}")
    trial.require(share > _MOST, f"{when} the engine answers only {share:.0%} of the searches")
    trial.require(saved.total() > 0, f"{when} nothing is saved")


def _answers(searchers: Sequence[Searcher]) -> Counter[str]:
    return sum((searcher.answers.copy() for searcher in searchers), Counter[str]())


@row(
    21,
    "search engine killed, frozen, started again",
    holds="no 5xx, 95 of 100 searches below 0.5 s, every save in the admin, half of them below"
    " 1 s; the engine answers before and after; then the index equals the database",
    is_slow=True,
)
def away(trial: Trial) -> None:
    with _engine(trial):
        products = trial.stock(3 * trial.orders)
        call_command("init_search", stdout=StringIO())
        searchers = [Searcher(trial.world.url) for _ in range(2)]
        editor = Editor(trial.world.url, products)
        editor.log_in()
        for thread in (*searchers, editor):
            thread.start()
        with trial.buying(trial.make_wishes(products=products)):
            _in_peace(trial, searchers, editor, "at first")
            for fault in (_killed, _frozen):
                name = fault.__name__[1:]
                saves = len(editor.seconds)
                fault(trial)
                _require_quick(trial, editor.seconds[saves:], f"while it is {name}")
                back = trial.wait_for(
                    "searched again", lambda: searchers[0].ask() == "opensearch", seconds=30
                )
                trial.require(back, f"after it was {name} it is not searched again")
                _in_peace(trial, searchers, editor, f"after it was {name}")
        trial.fault_ends()
        for searcher in searchers:
            searcher.end()
        editor.end()
        _judge(trial, searchers, editor)
        trial.settle()
    trial.count_faults(2)
    trial.require_no_server_errors()
    trial.all_placed()


def _judge(trial: Trial, searchers: Sequence[Searcher], editor: Editor) -> None:
    seconds = [each for searcher in searchers for each in searcher.seconds]
    answers = _answers(searchers)
    p95 = percentile(seconds, 95)
    trial.figure("searches", dict(answers))
    trial.figure("search p95", f"{p95:.2f} s")
    trial.figure("saves", f"{editor.answers['saved']}, the slowest {max(editor.seconds):.2f} s")
    trial.require(set(answers) <= {"opensearch", "postgres"}, f"searches failed: {answers}")
    trial.require(p95 < _AT_MOST, f"95 of 100 searches took up to {p95:.2f} s")
    trial.require(set(editor.answers) == {"saved"}, f"saves failed: {editor.answers}")
    trial.wait_for(
        "all that changed is in the index", lambda: not DirtyProduct.objects.exists()
    )
    live = SearchIndex.objects.get(state=SearchIndex.State.LIVE)
    different = compare(live.name, with_content=True).different
    trial.require(different == 0, f"{different} products differ between index and database")
