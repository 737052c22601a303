"""Requests over HTTP: which database answers whom."""

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core import signing
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.catalog.models import Product, Variant
from deploy.embedded.standby import Standby
from shop.routing import replicas
from shop.routing.positions import NEVER, primary_position
from shop.routing.token import HEADER
from tests.builders import make_staff, make_variant
from tests.standby import catch_up, cut_off, killed, paused, promoted, stopped

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "replica"])

PRODUCTS = "/api/catalog/products/"
PAGES = [
    PRODUCTS,
    f"{PRODUCTS}mug/",
    "/api/catalog/categories/",
    "/api/catalog/brands/",
    "/api/catalog/search/?q=mug&brand=hardwick",
    "/api/catalog/search/suggest/?q=mu",
]


@pytest.fixture
def mug(routed: Standby) -> Variant:
    mug = make_variant("MUG", on_hand=10)
    catch_up(routed)
    return mug


def database(answer: Any) -> str:
    return str(answer["X-Database"])


def add(client: APIClient, mug: Variant) -> Any:
    body = {"product_id": mug.product_id, "quantity": 1}
    answer = client.post("/api/orders/cart/items/", body, format="json")
    assert answer.status_code == 201, answer.content
    return answer


@pytest.mark.parametrize("page", PAGES)
def test_an_anonymous_page_of_the_catalogue_asks_the_primary_nothing(
    mug: Variant, page: str
) -> None:
    with CaptureQueriesContext(connection) as asked:
        answer = APIClient().get(page)
    assert answer.status_code == 200
    assert len(asked) == 0
    assert database(answer).startswith("replica ")
    assert ";" not in database(answer)
    assert HEADER not in answer
    assert not answer.cookies


def test_who_has_written_reads_the_primary_until_the_standby_has_it(
    mug: Variant, routed: Standby
) -> None:
    client = APIClient()
    with paused(routed):
        add(client, mug)
        own, other = client.get(PRODUCTS), APIClient().get(PRODUCTS)
        assert database(own).endswith("replica: behind the caller's own write")
        assert database(own).startswith("default ")
        assert database(other).startswith("replica ")
    catch_up(routed)
    assert database(client.get(PRODUCTS)).startswith("replica ")


def test_a_client_without_cookies_carries_the_header(mug: Variant, routed: Standby) -> None:
    with paused(routed):
        token = add(APIClient(), mug)[HEADER]
        assert database(APIClient().get(PRODUCTS, headers={HEADER: token})).startswith(
            "default"
        )


def test_the_answer_that_brings_a_token_is_kept_by_no_cache(mug: Variant) -> None:
    answer = add(APIClient(), mug)
    cookie = answer.cookies["read-token"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 60)
    assert answer["Cache-Control"] == "private, no-store"


def test_a_token_is_of_after_the_commit(mug: Variant, routed: Standby) -> None:
    before = primary_position()
    token = add(APIClient(), mug)[HEADER]
    assert before < signing.loads(token, salt="shop.routing.token") <= primary_position()


def old_token() -> str:
    signer = signing.TimestampSigner(salt="shop.routing.token")
    signer.timestamp = lambda: signing.b62_encode(1_000_000_000)  # type: ignore[method-assign]
    return signer.sign_object(1)


TOKENS: dict[str, Callable[[], str]] = {
    "forged": lambda: signing.dumps(1, salt="another"),
    "foreign": lambda: signing.dumps(1, key="another shop's", salt="shop.routing.token"),
    "expired": old_token,
    "malformed": lambda: "\x00%ff;=::",
    "no number": lambda: signing.dumps("16/B3", salt="shop.routing.token"),
    "long": lambda: "a" * 5000,
}


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_that_says_nothing_reads_the_primary(mug: Variant, kind: str) -> None:
    answer = APIClient().get(PRODUCTS, headers={HEADER: TOKENS[kind]()})
    assert answer.status_code == 200
    assert database(answer).startswith("default")


def test_add_to_cart_looks_the_product_up_on_the_standby_and_takes_few_statements(
    mug: Variant,
) -> None:
    captured = CaptureQueriesContext
    with captured(connection) as primary, captured(connections["replica"]) as standby:
        answer = add(APIClient(), mug)
    assert any('FROM "catalog_variant"' in query["sql"] for query in standby)
    control = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    both = [query["sql"] for query in [*primary, *standby]]
    asked = [sql for sql in both if not sql.startswith(control) and "pg_is_in_rec" not in sql]
    assert len(asked) <= 8, asked
    assert "default" in database(answer)


def test_a_product_that_the_standby_does_not_know_yet_can_be_added(
    mug: Variant, routed: Standby
) -> None:
    with paused(routed):
        add(APIClient(), make_variant("BOWL", on_hand=1))


def test_a_product_that_only_the_standby_still_knows_cannot_be_added(
    mug: Variant, routed: Standby
) -> None:
    bowl = make_variant("BOWL")
    catch_up(routed)
    with paused(routed):
        bowl.delete()
        body = {"product_id": bowl.product_id, "quantity": 1}
        answer = APIClient().post("/api/orders/cart/items/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("breaking", [stopped, killed], ids=["stopped", "killed"])
def test_a_standby_that_goes_costs_no_answer_and_is_read_again_afterwards(
    mug: Variant, routed: Standby, breaking: Any
) -> None:
    client = APIClient()
    assert database(client.get(PRODUCTS)).startswith("replica ")
    with breaking(routed):
        answers = [client.get(page) for page in PAGES * 3]
        assert {answer.status_code for answer in answers} == {200}
        assert all("default" in database(answer) for answer in answers)
    replicas.forget()
    assert database(client.get(PRODUCTS)).startswith("replica ")


def test_a_standby_that_went_just_after_it_was_asked_costs_no_answer(
    mug: Variant, routed: Standby
) -> None:
    assert replicas.replica("replica").trouble(after=0) is None
    with stopped(routed):
        connections["replica"].close()
        replicas.replica("replica")._asked_at = time.monotonic()  # as if that were a moment ago
        answer = APIClient().get(PRODUCTS)
        assert (answer.status_code, database(answer)) == (200, "default 2; replica: down")


def test_a_standby_that_is_cut_off_is_read_only_while_it_is_not_late(
    mug: Variant, routed: Standby, settings: Any
) -> None:
    settings.REPLICA_MAX_LAG = 1
    with cut_off(routed), connection.cursor() as cursor:
        Product.objects.update(name="New")
        # So that it is late at once: the standby's own clock goes on.
        cursor.execute("SELECT pg_sleep(1.5)")
        answer = APIClient().get(PRODUCTS)
        assert answer.json()["results"][0]["name"] == "New"
        assert database(answer).endswith("replica: late")
        replicas.forget()
        settings.REPLICA_ROUTING = "ignore-lag"
        assert APIClient().get(PRODUCTS).json()["results"][0]["name"] == "Mug"


def test_a_standby_that_was_promoted_is_read_no_more(mug: Variant, routed: Standby) -> None:
    client = APIClient()
    client.get(PRODUCTS)
    with promoted(routed):
        replicas.replica("replica")._asked_at = 0  # as after a second
        answer = client.get(PRODUCTS)
        assert answer.status_code == 200
        assert "default" in database(answer)


def end_session(standby: Standby) -> None:
    """What a standby's death in mid-query, or replay that ends a query, is to the shop."""
    connections["replica"].ensure_connection()
    pid = connections["replica"].connection.info.backend_pid
    standby.sql(f"SELECT pg_terminate_backend({pid})")


def test_a_query_that_dies_is_done_again_on_the_primary(mug: Variant, routed: Standby) -> None:
    client = APIClient()
    client.get(PRODUCTS)
    end_session(routed)
    answer = client.get(PRODUCTS)
    assert answer.status_code == 200
    assert database(answer).endswith("replica: failed")


def test_a_lookup_that_dies_does_not_keep_from_adding_to_the_cart(
    mug: Variant, routed: Standby
) -> None:
    APIClient().get(PRODUCTS)
    end_session(routed)
    assert database(add(APIClient(), mug)).endswith("replica: failed")


def test_staff_read_the_primary(mug: Variant) -> None:
    client = Client()
    client.force_login(make_staff())
    answer = client.get("/admin/catalog/product/")
    assert (answer.status_code, "replica" in database(answer)) == (200, False)


@pytest.mark.urls("shop.tests.routing.price_tag")
def test_answers_about_one_person_come_from_the_primary(mug: Variant) -> None:
    assert database(Client().get(f"/price/{mug.pk}/")).startswith("replica")
    assert database(Client().get(f"/private/{mug.pk}/")).startswith("default")


def test_off_reads_the_primary_and_gives_no_token(mug: Variant, settings: Any) -> None:
    settings.REPLICA_ROUTING = "off"
    client = APIClient()
    with CaptureQueriesContext(connection) as asked:
        assert client.get(PRODUCTS).status_code == 200
    assert len(asked) == 2
    assert HEADER not in add(client, mug)


@pytest.mark.urls("shop.tests.routing.price_tag")
def test_who_wrote_when_the_primary_cannot_say_where_it_is_reads_no_standby(
    mug: Variant, routed: Standby
) -> None:
    client = Client()
    token = client.post("/lost/")[HEADER]
    connection.close()  # as between two requests
    assert signing.loads(token, salt="shop.routing.token") == NEVER
    catch_up(routed)
    assert database(client.get(f"/price/{mug.pk}/")).startswith("default")


@pytest.mark.urls("shop.tests.routing.price_tag")
@pytest.mark.parametrize(
    ("sqlstate", "is_read_again"),
    [("40001", True), ("57014", False), ("42703", True)],
    ids=["in the way of replay", "too slow", "a column that is not there yet"],
)
def test_a_query_that_the_standby_refuses_is_done_again_on_the_primary(
    mug: Variant, sqlstate: str, is_read_again: bool
) -> None:
    answer = Client().get(f"/there/{mug.pk}/{sqlstate}/")
    assert (answer.status_code, answer.json()) == (200, {"price": 9})
    assert database(answer).endswith("replica: failed")
    after = database(Client().get(f"/price/{mug.pk}/"))
    assert after.startswith("replica") == is_read_again


@pytest.mark.urls("shop.tests.routing.price_tag")
def test_a_primary_that_fails_after_the_standby_answered_is_told_from_a_bug(
    mug: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setitem(connection.settings_dict, "PORT", str(taken.getsockname()[1]))
        answer = APIClient().get(f"/unlucky/{mug.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (503, "try_again")
    assert "failed" not in database(answer)
    # The standby is not to blame.
    assert replicas.replica("replica").trouble(after=0) is None


@pytest.mark.urls("shop.tests.routing.price_tag")
def test_a_call_that_may_write_is_not_done_twice(mug: Variant) -> None:
    answer = APIClient().post(f"/unlucky/{mug.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (503, "try_again")
