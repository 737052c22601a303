"""Two standbys: each request reads one of them, the one that it asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from deploy.embedded.standby import Standby
from shop.routing import replicas
from shop.routing.heartbeat import tell_the_time
from tests.builders import make_variant
from tests.standby import catch_up, paused, stopped

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.slow,  # each copies a standby
]

PRODUCTS = "/api/catalog/products/"


@pytest.fixture(scope="module", autouse=True)
def second_alias() -> Iterator[None]:
    """Before the tests' databases are looked at; where it listens is known later."""
    connections.databases["replica2"] = dict(connections.databases["replica"])
    yield
    del connections.databases["replica2"]


@pytest.fixture
def both(routed: Standby, standby2: Standby, settings: Any) -> Iterator[list[Standby]]:
    second = connections["replica2"]
    second.settings_dict["NAME"] = connections["default"].settings_dict["NAME"]
    second.settings_dict["PORT"] = str(standby2.home.port("standby2"))
    settings.REPLICAS = ["replica", "replica2"]
    tell_the_time()  # again: to copy a standby takes seconds
    for standby in (routed, standby2):
        catch_up(standby)
    replicas.forget()
    yield [routed, standby2]
    second.close()


def looks(client: APIClient, *, times: int = 20) -> list[str]:
    """Which databases answered so many requests for one page."""
    return [client.get(PRODUCTS)["X-Database"] for _ in range(times)]


def test_requests_are_spread_and_each_reads_one(both: list[Standby]) -> None:
    make_variant("MUG")
    for standby in both:
        catch_up(standby)
    assert set(looks(APIClient())) == {"replica 2", "replica2 2"}


def test_who_wrote_reads_the_one_that_has_it(both: list[Standby]) -> None:
    mug = make_variant("MUG")
    for standby in both:
        catch_up(standby)
    client = APIClient()
    with paused(both[0]):
        body = {"product_id": mug.product_id, "quantity": 1}
        assert client.post("/api/orders/cart/items/", body, format="json").status_code == 201
        catch_up(both[1])
        answers = {answer.partition(" ")[0] for answer in looks(client)}
        assert answers == {"replica2"}


def test_one_that_is_gone_leaves_the_other(both: list[Standby]) -> None:
    with stopped(both[1]):
        replicas.forget()
        connections["replica2"].close()
        answers = {answer.partition(" ")[0] for answer in looks(APIClient())}
        assert answers == {"replica"}
