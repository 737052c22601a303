"""The user who is logged in."""

from typing import Any

import pytest

from apps.accounts.models import User
from tests.builders import make_customer
from tests.clients import guest, logged_in

pytestmark = pytest.mark.django_db

URL = "/api/accounts/me/"


def test_shows_the_user_and_no_more_than_he_may_know() -> None:
    ada = make_customer()
    body = logged_in(ada).get(URL).json()
    assert set(body) == {"id", "email", "full_name", "joined_at"}
    assert body["email"] == "ada@example.com"


def test_changes_the_name() -> None:
    ada = make_customer()
    answer = logged_in(ada).patch(URL, {"full_name": "Ada King"}, format="json")
    assert answer.json()["full_name"] == "Ada King"
    assert User.objects.get().full_name == "Ada King"


def test_changes_nothing_but_the_name() -> None:
    ada = make_customer()
    bob = make_customer("bob")
    before = User.objects.filter(customer=ada).values().get()
    changes = {field.name: 1 for field in User._meta.get_fields()} | {
        "full_name": before["full_name"],
        "id": bob.user_id,
        "email": "eve@example.com",
        "password": "another password",
        "is_staff": True,
        "is_superuser": True,
        "is_active": False,
        "last_login": "2026-11-24T12:00:00Z",
    }
    assert logged_in(ada).patch(URL, changes, format="json").status_code == 200
    assert User.objects.filter(customer=ada).values().get() == before


@pytest.mark.parametrize("value", [None, True, [], {}, "a" * 151])
def test_refuses_a_name_that_is_none(value: Any) -> None:
    ada = make_customer()
    answer = logged_in(ada).patch(URL, {"full_name": value}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["full_name"]


@pytest.mark.parametrize("method", ["get", "patch"])
def test_is_closed_to_guests(method: str) -> None:
    answer = getattr(guest(), method)(URL)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("method", ["put", "post", "delete"])
def test_can_be_neither_replaced_nor_deleted(method: str) -> None:
    assert getattr(logged_in(make_customer()), method)(URL).status_code == 405
    assert User.objects.count() == 1
