"""The shop searches on while the engine is away, and asks for it again by itself."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from apps.catalog.search import breaker
from apps.catalog.search.breaker import Turn
from apps.catalog.search.models import EmptySearch
from apps.catalog.search.tests.goods import SUGGEST, answer, make_goods
from tests.clients import guest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_failures_counted")]


@pytest.fixture(params=["refuses", "is silent"])
def no_engine(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """An address at which nobody answers, one way or the other."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if request.param == "is silent":
            taken.listen(16)
        settings.SEARCH_URL = f"http://127.0.0.1:{taken.getsockname()[1]}"
        yield


@pytest.mark.usefixtures("no_engine")
def test_is_answered_by_postgresql_and_says_so() -> None:
    make_goods("Stoneware Mug")
    found = answer(q="mug")
    assert [product["name"] for product in found["results"]] == ["Stoneware Mug"]
    assert (found["engine"], found["degraded"]) == ("postgres", True)


@pytest.mark.usefixtures("no_engine")
def test_an_empty_search_finds_nothing_then_and_says_so_too() -> None:
    make_goods("Stoneware Mug")
    EmptySearch.objects.create(query="mug")
    found = answer(q="mug")
    assert (found["total"], found["engine"], found["degraded"]) == (0, "postgres", True)


@pytest.mark.usefixtures("no_engine")
def test_suggests_all_the_same() -> None:
    make_goods("Stoneware Mug")
    response = guest().get(SUGGEST, {"q": "sto"})
    assert response.status_code == 200
    found = response.json()
    assert [product["name"] for product in found["products"]] == ["Stoneware Mug"]
    assert (found["engine"], found["degraded"]) == ("postgres", True)


def test_only_knocks_at_an_engine_that_was_away_and_is_silent(settings: Any) -> None:
    for _ in range(breaker.FAILURES):
        breaker.failed()
    cache.delete("search:probe")  # as two seconds later
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.SEARCH_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert answer(q="mug")["degraded"]
        silent.settimeout(0)
        with silent.accept()[0] as caller:
            assert b"match_none" in caller.recv(4096)
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert breaker.turn() is not Turn.ASK


@pytest.mark.usefixtures("no_engine")
def test_leaves_the_engine_alone_after_three_failures() -> None:
    for _ in range(3):
        assert answer(q="mug")["degraded"]
    assert breaker.turn() is not Turn.ASK
    assert answer(q="mug")["degraded"]  # also for those who do not ask


def test_is_not_degraded_where_there_is_no_engine() -> None:
    make_goods("Stoneware Mug")
    found = answer(q="mug")
    assert (found["engine"], found["degraded"]) == ("postgres", False)
