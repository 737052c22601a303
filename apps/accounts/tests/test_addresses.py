"""Addresses: one's own, of users and of guests, with one default of each type."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import Address, Customer
from tests.builders import make_address, make_customer
from tests.clients import guest, logged_in
from tests.concurrently import run_at_once
from tests.statements import counted

pytestmark = pytest.mark.django_db

URL = "/api/accounts/addresses/"
HOME: dict[str, Any] = {
    "address_type": "shipping",
    "full_name": "Ada Lovelace",
    "phone": "+44 20 7946 0000",
    "address_line1": "12 St James's Square",
    "address_line2": "Top floor",
    "city": "London",
    "state": "",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
    "is_default": False,
}
LEAST = {name: HOME[name] for name in ("full_name", "address_line1", "city", "country")}


def one(address: Address | int | str) -> str:
    return f"{URL}{address.pk if isinstance(address, Address) else address}/"


def add(client: APIClient, **fields: Any) -> Any:
    return client.post(URL, HOME | fields, format="json")


def test_keeps_all_that_it_is_given() -> None:
    ada = make_customer()
    client = logged_in(ada)
    answer = add(client)
    address = Address.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {"id": address.pk, **HOME}
    assert address.customer == ada
    assert client.get(one(address)).json() == client.get(URL).json()[0] == answer.json()


def test_needs_no_more_than_a_parcel_does() -> None:
    answer = logged_in(make_customer()).post(URL, LEAST, format="json")
    assert answer.status_code == 201
    assert answer.json()["address_type"] == "shipping"
    assert answer.json()["is_default"] is False


def test_is_replaced_by_put_and_changed_by_patch() -> None:
    ada = make_customer()
    address = make_address(ada, phone="123", state="Somewhere")
    client = logged_in(ada)
    assert client.put(one(address), HOME, format="json").json() == {"id": address.pk, **HOME}
    answer = client.patch(one(address), {"city": "Paris", "country": "France"}, format="json")
    expected = {"id": address.pk, **HOME, "city": "Paris", "country": "FR"}
    assert answer.json() == client.get(one(address)).json() == expected


def test_is_removed() -> None:
    ada = make_customer()
    address = make_address(ada)
    client = logged_in(ada)
    assert client.delete(one(address)).status_code == 204
    assert client.get(one(address)).status_code == 404
    assert not Address.objects.exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("GB", "GB"),
        ("gb", "GB"),
        ("GBR", "GB"),
        (" United Kingdom ", "GB"),
        ("uk", "GB"),
        ("Germany", "DE"),
        ("USA", "US"),
        ("The Netherlands", None),
        ("Holland", "NL"),
        ("Côte d'Ivoire", "CI"),
        ("Atlantis", None),
        ("XX", None),
        ("1e9", None),
        ("", None),
        ("a" * 101, None),
        (None, None),
        (True, None),
        ([], None),
    ],
)
def test_takes_a_country_by_code_or_common_name(text: Any, code: str | None) -> None:
    answer = add(logged_in(make_customer()), country=text)
    if code is None:
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["country"]
        assert not Address.objects.exists()
    else:
        assert answer.json()["country"] == Address.objects.get().country == code


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address_type", "office"),
        ("address_type", None),
        ("address_type", []),
        ("address_type", "\ufffd"),
        ("full_name", ""),
        ("full_name", "a" * 151),
        ("full_name", True),
        ("phone", "1" * 33),
        ("address_line1", None),
        ("address_line2", "a" * 201),
        ("city", {}),
        ("postal_code", "1" * 21),
        ("is_default", "perhaps"),
        ("is_default", None),
        ("is_default", []),
        ("is_default", 2**63),
    ],
)
def test_refuses_a_value_that_does_not_fit(field: str, value: Any) -> None:
    answer = add(logged_in(make_customer()), **{field: value})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert not Address.objects.exists()


@pytest.mark.parametrize("body", [None, [], [HOME], "text", 5])
def test_refuses_a_body_that_is_no_object(body: Any) -> None:
    assert logged_in(make_customer()).post(URL, body, format="json").status_code == 400


def test_another_default_of_the_type_takes_over() -> None:
    ada, bob = make_customer(), make_customer("bob")
    client = logged_in(ada)
    first = make_address(ada, is_default=True)
    bill = make_address(ada, is_default=True, address_type="billing")
    of_bob = make_address(bob, is_default=True)
    second = add(client, is_default=True).json()["id"]
    assert defaults() == {bill.pk, of_bob.pk, second}
    client.patch(one(first), {"is_default": True}, format="json")
    assert defaults() == {bill.pk, of_bob.pk, first.pk}
    client.put(one(second), HOME | {"is_default": True}, format="json")
    assert defaults() == {bill.pk, of_bob.pk, second}


def test_a_default_that_changes_its_type_is_the_default_there() -> None:
    ada = make_customer()
    ship = make_address(ada, is_default=True)
    make_address(ada, is_default=True, address_type="billing")
    answer = logged_in(ada).patch(one(ship), {"address_type": "billing"}, format="json")
    assert answer.status_code == 200
    assert defaults() == {ship.pk}


def test_a_default_that_is_changed_otherwise_stays_it() -> None:
    ada = make_customer()
    address = make_address(ada, is_default=True)
    logged_in(ada).patch(one(address), {"city": "Paris"}, format="json")
    assert defaults() == {address.pk}


@pytest.mark.django_db(transaction=True)
def test_many_defaults_at_once_leave_one_and_lose_no_other_change() -> None:
    ada = make_customer()
    addresses = [make_address(ada) for _ in range(4)]
    client = logged_in(ada)

    def patch(address: Address, **fields: Any) -> int:
        return int(client.patch(one(address), fields, format="json").status_code)

    answers = run_at_once(
        [lambda a=a: patch(a, is_default=True) for a in addresses]
        + [lambda a=a: patch(a, city="Paris") for a in addresses]
        + [lambda: int(add(client, is_default=True).status_code)] * 2
    )
    assert answers == [200] * 8 + [201] * 2
    assert len(defaults()) == 1
    assert Address.objects.filter(city="Paris").count() == 4


def test_those_of_others_are_not_found() -> None:
    theirs = make_address(make_customer("bob"))
    for client in (logged_in(make_customer()), guest()):
        assert client.get(URL).json() == []
        for method in ("get", "put", "patch", "delete"):
            answer = getattr(client, method)(one(theirs), HOME, format="json")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    theirs.refresh_from_db()
    assert theirs.phone == ""


@pytest.mark.parametrize(
    "key", ["0", "-1", 2**63, 10**30, "9" * 5000, "1e9", "NaN", "null", "[]"]
)
def test_an_impossible_id_is_not_found(key: Any) -> None:
    client = logged_in(make_customer())
    for method in ("get", "put", "patch", "delete"):
        assert getattr(client, method)(one(key)).status_code == 404


def test_nobody_can_give_an_address_to_somebody_else() -> None:
    ada, bob = make_customer(), make_customer("bob")
    client = logged_in(ada)
    address_id = add(client, customer=bob.pk, customer_id=bob.pk, id=7).json()["id"]
    client.patch(one(address_id), {"customer": bob.pk, "id": 7}, format="json")
    assert list(ada.addresses.values_list("pk", flat=True)) == [address_id]
    assert not bob.addresses.exists()


def test_a_guest_keeps_addresses_under_a_cookie() -> None:
    client = guest()
    answer = add(client)
    cookie = answer.cookies["guest"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    address = Address.objects.get()
    assert [each["id"] for each in client.get(URL).json()] == [address.pk]
    assert client.patch(one(address), {"city": "Paris"}, format="json").status_code == 200
    assert "guest" not in add(client).cookies
    assert Customer.objects.count() == 1


def test_by_https_the_cookie_is_one_that_no_other_host_of_the_domain_can_set(
    settings: Any,
) -> None:
    settings.COOKIE_SECURE = True
    client = guest()
    cookies = add(client).cookies
    assert list(cookies) == ["__Host-guest"]
    cookie = cookies["__Host-guest"]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
    assert len(client.get(URL).json()) == 1
    client.cookies["guest"] = client.cookies.pop("__Host-guest").value
    assert client.get(URL).json() == []


def test_a_customer_may_have_so_many_and_no_more(settings: Any) -> None:
    settings.ADDRESS_MAX = 2
    ada = make_customer()
    make_address(make_customer("bob"))
    client = logged_in(ada)
    answers = [add(client, is_default=True) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 400]
    assert answers[2].json()["code"] == "address_limit"
    assert defaults() == {answers[1].json()["id"]}
    # One that is there may still be changed, and one that goes makes room.
    changed = client.patch(one(answers[0].json()["id"]), {"city": "Paris"}, format="json")
    assert changed.status_code == 200
    client.delete(one(answers[0].json()["id"]))
    assert add(client).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_many_at_once_do_not_pass_the_limit(settings: Any) -> None:
    settings.ADDRESS_MAX = 3
    client = logged_in(make_customer())
    answers = run_at_once([lambda: int(add(client).status_code)] * 8)
    assert sorted(answers, key=str) == [201] * 3 + [400] * 5
    assert Address.objects.count() == 3


def test_a_guest_who_only_looks_or_errs_leaves_nothing_behind() -> None:
    client = guest()
    assert client.get(URL).json() == []
    assert add(client, country="Atlantis").status_code == 400
    assert client.cookies == {}
    assert not Customer.objects.exists()


@pytest.mark.parametrize("token", ["", "guess", "a" * 5000, "é", "\x00"])
def test_a_guessed_cookie_opens_nothing(token: str) -> None:
    make_address(Customer.objects.new_guest()[0])
    client = guest()
    client.cookies["guest"] = token
    assert client.get(URL).json() == []
    assert add(client).cookies["guest"].value != token


def test_a_user_with_a_guest_cookie_is_the_user() -> None:
    ada = make_customer()
    client = logged_in(ada)
    visitor, token = Customer.objects.new_guest()
    make_address(visitor)
    client.cookies["guest"] = token
    assert client.get(URL).json() == []


def test_the_list_takes_three_statements_however_long_it_is() -> None:
    ada = make_customer()
    client = logged_in(ada)
    for _ in range(12):
        make_address(ada)
    with counted() as statements:
        assert len(client.get(URL).json()) == 12
    assert len(statements) == 3, statements  # user, customer, addresses


def defaults() -> set[int]:
    return set(Address.objects.filter(is_default=True).values_list("pk", flat=True))
