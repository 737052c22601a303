"""How often somebody may try passwords and open accounts."""

from collections.abc import Iterator
from typing import Any

import pytest

from apps.accounts.models import Customer, User
from tests.builders import PASSWORD, make_customer, make_user, make_variant
from tests.clients import guest, logged_in
from tests.limits import counters, forget_calls, without_redis

pytestmark = pytest.mark.django_db

RATES = {"login": 4, "login_email": 2, "register": 3, "guest": 2}


@pytest.fixture(autouse=True)
def _low_rates(settings: Any) -> Iterator[None]:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | RATES
    yield
    forget_calls()


def log_in(email: Any, *, address: str = "192.0.2.1", **fields: str) -> int:
    body = {"email": email, "password": "wrong", **fields}
    answer = guest().post("/api/accounts/token/", body, format="json", REMOTE_ADDR=address)
    return int(answer.status_code)


def test_one_address_may_try_few_accounts() -> None:
    codes = [log_in(f"user{n}@example.com") for n in range(6)]
    assert codes == [401] * 4 + [429] * 2
    assert log_in("user0@example.com", address="192.0.2.2") == 401


def test_many_addresses_may_not_try_one_account() -> None:
    make_user("ada@example.com")
    emails = ["ada@example.com", "ADA@example.com", " ada@example.com "]
    codes = [log_in(email, address=f"192.0.2.{n}") for n, email in enumerate(emails)]
    assert codes == [401, 401, 429]
    # Not even with the right password.
    assert log_in("ada@example.com", address="192.0.2.9", password=PASSWORD) == 429
    assert log_in("bob@example.com", address="192.0.2.9") == 401


@pytest.mark.parametrize("email", [None, True, [], {}, "", " "])
def test_a_call_that_names_no_account_counts_for_its_address(email: Any) -> None:
    assert [log_in(email) for _ in range(5)] == [400] * 4 + [429]


def test_one_address_may_open_few_accounts() -> None:
    codes = []
    for n in range(5):
        body = {"email": f"user{n}@example.com", "password": PASSWORD}
        answer = guest().post("/api/accounts/register/", body, format="json")
        codes.append(answer.status_code)
    assert codes == [201] * 3 + [429] * 2
    assert User.objects.count() == 3


ITEMS = "/api/orders/cart/items/"
ADDRESSES = "/api/accounts/addresses/"
HOME = {"full_name": "Ada", "address_line1": "1 St", "city": "London", "country": "GB"}


def test_one_address_may_become_few_guests_with_and_without_a_made_up_cookie() -> None:
    mug, there = make_variant(), {"REMOTE_ADDR": "192.0.2.1"}
    body, clients = {"product_id": mug.product_id}, [guest() for _ in range(4)]
    clients[3].cookies["guest"] = "guessed"
    calls = [(ADDRESSES, HOME), (ITEMS, body), (ITEMS, body), (ADDRESSES, HOME)]
    answers: list[Any] = [
        client.post(path, data, **there)  # type: ignore[arg-type]  # a header of WSGI
        for client, (path, data) in zip(clients, calls, strict=True)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 429, 429]
    assert Customer.objects.count() == 2
    assert not answers[2].cookies
    # Those who are guests already stay it, and others may become it.
    assert clients[0].post(ITEMS, body, REMOTE_ADDR="192.0.2.1").status_code == 201
    assert guest().post(ITEMS, body, REMOTE_ADDR="192.0.2.2").status_code == 201


def test_who_has_an_account_or_an_impossible_wish_does_not_count_as_a_new_guest() -> None:
    mug, ada = make_variant(), logged_in(make_customer())
    for _ in range(3):
        assert ada.post(ITEMS, {"product_id": mug.product_id}).status_code == 201
        assert guest().post(ITEMS, {"product_id": "x"}).status_code == 400
    assert guest().post(ITEMS, {"product_id": mug.product_id}).status_code == 201


def test_without_redis_a_stranger_can_still_fill_a_cart(settings: Any) -> None:
    mug = make_variant()
    with without_redis(settings):
        for _ in range(3):
            assert guest().post(ITEMS, {"product_id": mug.product_id}).status_code == 201


def test_redis_learns_no_e_mail_address() -> None:
    log_in("ada@example.com")
    keys = list(counters())
    assert len(keys) == 2
    assert not any("ada" in key for key in keys)


def test_while_nobody_counts_neither_login_nor_registration_is_open(settings: Any) -> None:
    make_user("eve@example.com")
    body = {"email": "bob@example.com", "password": PASSWORD}
    with without_redis(settings):
        assert log_in("eve@example.com", password=PASSWORD) == 429
        assert guest().post("/api/accounts/register/", body).status_code == 429
        # Who was logged in before stays it.
        assert logged_in(make_customer()).get("/api/accounts/me/").status_code == 200
