"""A refresh token is good for one refresh, whoever tries and how often."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from apps.accounts.models import User
from tests.builders import make_user
from tests.clients import guest
from tests.concurrently import run_at_once
from tests.statements import counted

pytestmark = pytest.mark.django_db

URL = "/api/accounts/token/"


def issue(user: User) -> str:
    return str(RefreshToken.for_user(user))


def refresh(token: Any) -> Any:
    return guest().post(f"{URL}refresh/", {"refresh": token}, format="json")


def revoke(token: Any) -> Any:
    return guest().post(f"{URL}revoke/", {"refresh": token}, format="json")


def test_gives_new_tokens_and_uses_the_old_one_up() -> None:
    token = issue(make_user("ada@example.com"))
    answer = refresh(token)
    assert answer.status_code == 200
    access, new = answer.json()["access"], answer.json()["refresh"]
    me = guest().get("/api/accounts/me/", HTTP_AUTHORIZATION=f"Bearer {access}")
    assert me.status_code == 200
    assert refresh(new).status_code == 200
    again = refresh(token)
    assert (again.status_code, again.json()["code"]) == (401, "token_not_valid")


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_with_one_token_get_one_new_one() -> None:
    token = issue(make_user("ada@example.com"))
    answers = run_at_once([lambda: refresh(token)] * 8)
    assert Counter(getattr(each, "status_code", each) for each in answers) == {200: 1, 401: 7}
    assert OutstandingToken.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_token_revoked_while_it_is_refreshed_is_good_for_one_of_the_two() -> None:
    ada = make_user("ada@example.com")
    for _ in range(4):
        token = issue(ada)
        answers = run_at_once([partial(refresh, token), partial(revoke, token)])
        codes = sorted(getattr(each, "status_code", 0) for each in answers)
        assert codes in ([200, 401], [204, 401])


def test_a_used_token_that_comes_again_ends_all_tokens_of_its_user_alone() -> None:
    ada, bob = make_user("ada@example.com"), make_user("bob@example.com")
    first, phone, of_bob = issue(ada), issue(ada), issue(bob)
    second = refresh(first).json()["refresh"]
    assert refresh(first).status_code == 401
    assert [refresh(token).status_code for token in (second, phone)] == [401, 401]
    assert refresh(of_bob).status_code == 200
    # Who has the password may come back.
    assert refresh(issue(ada)).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_what_is_issued_while_a_used_token_comes_again_ends_too() -> None:
    ada = make_user("ada@example.com")
    for _ in range(6):
        first = issue(ada)
        second = refresh(first).json()["refresh"]
        answers = run_at_once([partial(refresh, first), partial(refresh, second)])
        codes = [getattr(each, "status_code", each) for each in answers]
        assert codes in ([401, 200], [401, 401])
        assert not OutstandingToken.objects.filter(blacklistedtoken=None).exists()


def test_a_new_password_ends_the_tokens_from_before() -> None:
    ada = make_user("ada@example.com")
    token, access = issue(ada), RefreshToken.for_user(ada).access_token
    ada.set_password("another correct horse")
    ada.save()
    answer = refresh(token)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")
    me = guest().get("/api/accounts/me/", HTTP_AUTHORIZATION=f"Bearer {access}")
    assert (me.status_code, me.json()["code"]) == (401, "password_changed")
    assert refresh(issue(ada)).status_code == 200


def test_a_refresh_takes_eleven_statements() -> None:
    token = issue(make_user("ada@example.com"))
    with counted() as statements:
        refresh(token)
    assert len(statements) == 11, statements


def test_a_revoked_token_is_dead() -> None:
    token = issue(make_user("ada@example.com"))
    answer = revoke(token)
    assert (answer.status_code, answer.content) == (204, b"")
    assert refresh(token).status_code == 401
    assert revoke(token).status_code == 401


def test_revoking_one_token_leaves_the_others() -> None:
    ada = make_user("ada@example.com")
    phone, laptop = issue(ada), issue(ada)
    revoke(phone)
    assert refresh(laptop).status_code == 200


def test_an_inactive_user_gets_no_new_token() -> None:
    ada = make_user("ada@example.com")
    token = issue(ada)
    ada.is_active = False
    ada.save()
    assert refresh(token).status_code == 401
    ada.is_active = True
    ada.save()
    assert refresh(token).status_code == 200


def test_a_user_who_is_gone_gets_no_new_token() -> None:
    ada = make_user("ada@example.com")
    token = issue(ada)
    ada.delete()
    assert refresh(token).status_code == 401


def test_a_token_that_was_never_recorded_is_refused() -> None:
    token = issue(make_user("ada@example.com"))
    OutstandingToken.objects.all().delete()
    assert refresh(token).status_code == 401
    assert revoke(token).status_code == 401


@pytest.mark.parametrize("path", ["refresh", "revoke"])
@pytest.mark.parametrize("value", [None, True, [], {}, ""])
def test_refuses_a_value_that_is_no_text(path: str, value: Any) -> None:
    answer = guest().post(f"{URL}{path}/", {"refresh": value}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["refresh"]


@pytest.mark.parametrize("value", [1, "a.b.c", "a" * 10_000, "é"])
def test_refuses_a_text_that_is_no_token(value: Any) -> None:
    for call in (refresh, revoke):
        answer = call(value)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")
