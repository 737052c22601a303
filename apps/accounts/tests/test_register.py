"""Opening an account."""

from typing import Any
from urllib.parse import urlencode

import pytest

from apps.accounts.models import User
from tests.builders import NOT_SENDABLE, PASSWORD, make_user
from tests.clients import guest
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db

URL = "/api/accounts/register/"
ADA = {"email": "Ada@Example.com", "password": PASSWORD, "full_name": "Ada Lovelace"}


def register(**fields: Any) -> Any:
    return guest().post(URL, ADA | fields, format="json")


def test_makes_a_user_who_can_log_in_and_is_nobody_special() -> None:
    answer = register()
    user = User.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": user.pk,
        "email": "ada@example.com",
        "full_name": "Ada Lovelace",
    }
    assert user.check_password(PASSWORD)
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)


def test_ignores_every_other_field() -> None:
    special = {
        "id": 1_000_000,
        "is_staff": True,
        "is_superuser": True,
        "is_active": False,
        "groups": [1],
        "user_permissions": [1],
        "joined_at": "2020-01-01T00:00:00Z",
    }
    assert register(**special).status_code == 201
    user = User.objects.get()
    assert user.pk != special["id"]
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert user.joined_at.year > 2020


def test_refuses_an_address_that_is_taken_in_any_case_without_saying_so() -> None:
    make_user("ada@example.com")
    answer = register(email="ADA@example.COM")
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"email": ["This e-mail address cannot be used."]}
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_with_one_address_make_one_account() -> None:
    answers = run_at_once([register] * 8)
    codes = sorted(getattr(answer, "status_code", 0) for answer in answers)
    assert codes == [201] + [400] * 7
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "too short"),
        ("password123", "too common"),
        ("8675309867", "entirely numeric"),
        ("ada@example.com", "too similar"),
    ],
)
def test_refuses_a_password_that_is_easy_to_guess(password: str, reason: str) -> None:
    answer = register(password=password)
    assert answer.status_code == 400
    assert any(reason in text for text in answer.json()["errors"]["password"])
    assert not User.objects.exists()


def test_a_password_keeps_its_spaces() -> None:
    assert register(password=f"  {PASSWORD}  ").status_code == 201
    assert User.objects.get().check_password(f"  {PASSWORD}  ")


@pytest.mark.parametrize("field", ["email", "password", "full_name"])
@pytest.mark.parametrize("value", [None, True, [], {}, "a" * 300, ["x"], ""])
def test_refuses_a_value_that_is_no_text_or_too_long(field: str, value: Any) -> None:
    answer = register(**{field: value})
    if (field, value) == ("full_name", ""):
        assert answer.status_code == 201
    else:
        assert answer.status_code == 400
        assert field in answer.json()["errors"]


@pytest.mark.parametrize("email", ["ada", "ada@", "@example.com", "ada@exa mple.com", "1e9"])
def test_refuses_what_is_no_address(email: str) -> None:
    assert list(register(email=email).json()["errors"]) == ["email"]


@pytest.mark.parametrize("email", NOT_SENDABLE)
def test_refuses_an_address_that_no_mail_can_be_sent_to(email: str) -> None:
    answer = register(email=email)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["email"])
    assert not User.objects.exists()


def test_takes_an_address_with_a_domain_in_another_script() -> None:
    assert register(email="Ada@MÜLLER.example").json()["email"] == "ada@müller.example"


@pytest.mark.parametrize("body", [None, [], [1], "text", 5, True])
def test_refuses_a_body_that_is_no_object(body: Any) -> None:
    answer = guest().post(URL, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"


def test_refuses_a_form() -> None:
    form = urlencode(ADA)
    answer = guest().post(URL, form, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415
    assert not User.objects.exists()
