"""A standby that stops answering, is too slow, or has to end a query: by real causes."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from deploy.embedded.standby import Standby
from shop.routing import replicas
from shop.routing.patience import limited_patience
from tests.builders import make_variant
from tests.pipeline import eventually
from tests.servers import figures
from tests.standby import catch_up, frozen, impatient, mend, stopped

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "replica"]),
    pytest.mark.urls("shop.tests.routing.price_tag"),
]


@pytest.fixture
def tag(routed: Standby) -> int:
    """A price of 9.50 that the standby knows, and a connection to it that is open."""
    pk = make_variant("TAG").pk
    catch_up(routed)
    assert look(pk) == (200, "replica 1")
    return pk


def look(pk: int, *, page: str = "price/{}/") -> tuple[int, str]:
    """The answer's status, and which database gave it."""
    answer = Client().get(f"/{page.format(pk)}")
    return answer.status_code, answer["X-Database"]


def look_apart(pk: int, *, page: str) -> tuple[int, str]:
    """The same, in a thread."""
    try:
        return look(pk, page=page)
    finally:
        connections.close_all()


@contextmanager
def frozen_for_a_while(standby: Standby) -> Iterator[None]:
    """Thawed at the latest after 15 s: who waits for its answer longer, waits for ever."""
    with frozen(standby):
        thaw = threading.Timer(15, mend, [standby])
        thaw.start()
        try:
            yield
        finally:
            thaw.cancel()


@pytest.mark.parametrize("asked", [True, False], ids=["at the query", "at the question"])
def test_a_frozen_standby_holds_one_request_for_a_while_and_the_next_not_at_all(
    tag: int, routed: Standby, asked: bool
) -> None:
    known = replicas.replica("replica")
    with frozen_for_a_while(routed):
        # As if it had been asked a moment ago, or long ago: then the question itself hangs.
        known._asked_at = time.monotonic() if asked else 0
        started = time.monotonic()
        first = look(tag)
        figures.append(f"a page whose standby froze: {time.monotonic() - started:.2f} s")
        others = {look(tag) for _ in range(20)}
    database = "replica 1, default 1; replica: failed" if asked else "default 1; replica: down"
    assert first == (200, database)
    assert others == {(200, "default 1; replica: down")}


@pytest.mark.slow  # it is left alone for five seconds
@pytest.mark.parametrize("away", [stopped, frozen_for_a_while])
def test_a_standby_is_read_again_within_ten_seconds_of_its_return(
    tag: int, routed: Standby, away: Callable[[Standby], Any]
) -> None:
    with away(routed):
        assert "default" in look(tag)[1]
    back = time.monotonic()
    eventually(lambda: look(tag)[1] == "replica 1", what="the standby read", seconds=10)
    figures.append(f"{away.__name__}, read again after {time.monotonic() - back:.1f} s")


def test_a_query_in_the_way_of_replay_is_done_again_on_the_primary(
    tag: int, routed: Standby
) -> None:
    with impatient(routed), ThreadPoolExecutor(1) as threads:
        looking = threads.submit(look_apart, tag, page="slow/{}/1.9/")
        sleeps = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
        eventually(lambda: routed.sql(sleeps) == "1", what="the query on the standby")
        with closing(connection.copy()) as other, other.cursor() as cursor:
            cursor.execute("UPDATE catalog_variant SET price = 7")
            cursor.execute("VACUUM catalog_variant")
        assert looking.result() == (200, "replica 2, default 1; replica: failed")
        ended = "select confl_snapshot from pg_stat_database_conflicts where datname = '{}'"
        name = str(connection.settings_dict["NAME"])
        eventually(lambda: routed.sql(ended.format(name)) != "0", what="the conflict counted")
        assert look(tag) == (200, "replica 1")  # it is not to blame


def test_a_query_that_takes_too_long_there_is_done_again_on_the_primary(
    tag: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer = look(tag, page="slow/{}/9/")
    assert answer == (200, "replica 2, default 1; replica: failed")
    # By its own word, before its connection would have been cut.
    assert "statement timeout" in caplog.text
    assert look(tag) == (200, "default 1; replica: down")


def test_prints_what_the_deadline_costs_a_statement(routed: Standby) -> None:
    standby = connections["replica"]
    started = time.perf_counter()
    for _ in range(1000):
        with limited_patience(standby):
            pass
    figures.append(f"a statement's deadline: {1000 * (time.perf_counter() - started):.1f} µs")
