"""Users, customers and addresses in the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from tests.builders import PASSWORD, make_address, make_customer, make_staff, make_user

pytestmark = pytest.mark.django_db

NEW_PASSWORD = dict.fromkeys(("password1", "password2"), "a quite different passphrase")
NEW = {"email": "Grace@Example.com", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    return client


@pytest.fixture
def clerk(client: Client) -> Client:
    """Staff who may edit users, but is no superuser."""
    clerk = make_user("clerk@example.com", is_staff=True)
    permissions = ["view_user", "change_user", "delete_user", "add_user"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(clerk)
    return client


def page(name: str, *args: object) -> str:
    return reverse(f"admin:{name}", args=args)


def listed(sue: Client, model: str, **query: Any) -> list[str]:
    answer = sue.get(page(f"accounts_{model}_changelist"), query)
    return [str(row) for row in answer.context["cl"].result_list]


def test_adds_a_user_who_can_log_in_by_email(sue: Client) -> None:
    assert sue.post(page("accounts_user_add"), NEW).status_code == 302
    grace = User.objects.get(email="grace@example.com")
    assert grace.check_password(PASSWORD)
    assert not grace.is_staff


def test_refuses_an_email_that_is_taken_in_other_letters(sue: Client) -> None:
    make_user("grace@example.com")
    answer = sue.post(page("accounts_user_add"), NEW)
    assert "already exists" in answer.content.decode()
    assert User.objects.count() == 2


def test_sets_a_new_password(sue: Client) -> None:
    ada = make_user("ada@example.com")
    url = page("auth_user_password_change", ada.pk)
    assert sue.get(url).status_code == 200
    assert sue.post(url, NEW_PASSWORD).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password(NEW_PASSWORD["password1"])


def test_does_not_let_a_clerk_make_anybody_staff(clerk: Client) -> None:
    ada = make_user("ada@example.com")
    fields = {"email": "ada@example.com", "full_name": "Ada", "is_active": "on"}
    typed = {"is_staff": "on", "is_superuser": "on"}
    url = page("accounts_user_change", ada.pk)
    assert clerk.post(url, {**fields, **typed}).status_code == 302
    ada.refresh_from_db()
    assert ada.full_name == "Ada"
    assert not ada.is_staff
    assert not ada.is_superuser


@pytest.mark.parametrize(
    "rights",
    [{"is_staff": True}, {"is_superuser": True}, {"is_staff": True, "is_active": False}],
)
def test_does_not_let_a_clerk_touch_anybody_else_of_the_staff(
    clerk: Client, rights: dict[str, bool]
) -> None:
    sue = make_user("sue@example.com", **rights)
    before = sue.password
    assert (
        clerk.post(page("auth_user_password_change", sue.pk), NEW_PASSWORD).status_code == 403
    )
    assert clerk.post(page("accounts_user_change", sue.pk), {}).status_code == 403
    assert clerk.post(page("accounts_user_delete", sue.pk), {"post": "yes"}).status_code == 403
    clerk.post(
        page("accounts_user_changelist"),
        {"action": "delete_selected", "_selected_action": [sue.pk], "post": "yes"},
    )
    sue.refresh_from_db()
    assert sue.password == before


def test_lets_a_clerk_set_his_own_password_and_a_shoppers(clerk: Client) -> None:
    make_user("ada@example.com")
    for user in User.objects.order_by("is_staff"):
        url = page("auth_user_password_change", user.pk)
        assert clerk.post(url, NEW_PASSWORD).status_code == 302
        user.refresh_from_db()
        assert user.check_password(NEW_PASSWORD["password1"])


def test_finds_users_customers_and_addresses_by_email_and_name(sue: Client) -> None:
    make_address(make_customer("ada"))
    make_customer("bob")
    User.objects.filter(email="ada@example.com").update(full_name="Countess")
    for term in ("ADA@", "countess"):
        assert listed(sue, "user", q=term) == ["ada@example.com"]
        assert listed(sue, "customer", q=term) == ["ada@example.com"]
    assert listed(sue, "customer", q="lovelace") == ["ada@example.com"]
    assert listed(sue, "address", q="lovelace") == ["Ada Lovelace, London"]
    assert listed(sue, "address", q="ada@") == ["Ada Lovelace, London"]
    assert listed(sue, "address", q="bob@") == []


def test_corrects_an_address_and_takes_a_country_by_its_name(sue: Client) -> None:
    address = make_address(make_customer())
    fields = {
        "full_name": "Ada King",
        "address_line1": "1 High Street",
        "city": "Dublin",
        "postal_code": "D01",
        "country": "ireland",
    }
    assert sue.post(page("accounts_address_change", address.pk), fields).status_code == 302
    address.refresh_from_db()
    assert (address.full_name, address.country) == ("Ada King", "IE")


def test_refuses_a_country_that_nobody_knows(sue: Client) -> None:
    address = make_address(make_customer())
    fields = {"full_name": "A", "address_line1": "1", "city": "C", "country": "XX"}
    answer = sue.post(page("accounts_address_change", address.pk), fields)
    assert "No country is called this." in answer.content.decode()
