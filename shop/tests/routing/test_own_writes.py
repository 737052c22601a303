"""Nobody reads a price that is older than the one he has set, however late the standby is."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from deploy.embedded.standby import Standby
from shop.routing import replicas
from shop.routing.positions import primary_position
from tests.builders import make_variant
from tests.servers import figures
from tests.standby import catch_up, lagging, paused

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "replica"]),
    pytest.mark.urls("shop.tests.routing.price_tag"),
]

CLIENTS, WRITES = 4, 250


def set_and_look(pk: int) -> Counter[str]:
    """Where a client's reads after his own writes came from, and how many were stale."""
    own, other = Client(), Client()
    seen: Counter[str] = Counter()
    try:
        for price in range(100, 100 + WRITES):
            assert own.post(f"/price/{pk}/", {"price": price}).status_code == 200
            answer = own.get(f"/price/{pk}/")
            seen["stale"] += answer.json()["price"] < price
            seen["on the standby"] += answer["X-Database"].startswith("replica")
            behind = other.get(f"/price/{pk}/")
            seen["others on the standby"] += behind["X-Database"].startswith("replica")
            seen["others behind"] += behind.json()["price"] < price
    finally:
        connections.close_all()
    return seen


def all_clients(standby: Standby, *, lag: float) -> Counter[str]:
    tags = [make_variant(f"TAG-{n}").pk for n in range(CLIENTS)]
    catch_up(standby)
    seen: Counter[str] = Counter()
    with lagging(standby, seconds=lag), ThreadPoolExecutor(CLIENTS) as clients:
        for each in clients.map(set_and_look, tags):
            seen += each
    figures.append(
        f"standby {lag} s late, {CLIENTS * WRITES} reads after own writes:"
        f" {seen['stale']} stale, {seen['on the standby']} on the standby;"
        f" of as many by others {seen['others on the standby']} there,"
        f" {seen['others behind']} behind"
    )
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("lag", [0, 0.2, 3, 30])
def test_no_own_read_is_stale(routed: Standby, settings: Any, lag: float) -> None:
    settings.REPLICA_MAX_LAG = 60  # here only the token protects
    seen = all_clients(routed, lag=lag)
    assert seen["stale"] == 0
    assert seen["others on the standby"] > 0


@pytest.mark.slow
def test_without_the_token_they_are_stale(
    routed: Standby, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REPLICA_MAX_LAG = 60
    monkeypatch.setattr("shop.routing.token.wanted_position", lambda _request: 0)
    assert all_clients(routed, lag=3)["stale"] > 0


def test_who_wrote_and_met_a_bug_has_a_token_all_the_same(routed: Standby) -> None:
    tag = make_variant("TAG").pk
    catch_up(routed)
    client = Client(raise_request_exception=False)
    with paused(routed):
        assert client.post("/fails/").status_code == 500
        assert client.get(f"/price/{tag}/").json() == {"price": 99}


def test_prints_what_the_token_and_the_check_cost(routed: Standby) -> None:
    primary_position()
    standby = replicas.replica("replica")
    assert standby.trouble(after=0) is None
    token = _each(primary_position, times=500)
    check = _each(lambda: standby.trouble(after=1), times=500)
    figures.append(f"a writing request's token: {1000 * token:.2f} ms")
    figures.append(f"a reading request's check: {1e6 * check:.2f} µs")


def _each(call: Any, *, times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - started) / times
