"""Logging in, and what an access token is good for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from apps.accounts.models import User
from tests.builders import PASSWORD, make_user
from tests.clients import guest

pytestmark = pytest.mark.django_db

URL = "/api/accounts/token/"
ME = "/api/accounts/me/"


def log_in(email: Any = "ada@example.com", password: Any = PASSWORD) -> Any:
    return guest().post(URL, {"email": email, "password": password}, format="json")


def me(token: object) -> Any:
    return guest().get(ME, HTTP_AUTHORIZATION=f"Bearer {token}")


def forged(
    user: User, *, key: str | None = None, algorithm: str = "HS256", **claims: Any
) -> str:
    """An access token of the user like ours, except for what is said."""
    usual = {
        "token_type": "access",
        "exp": datetime.now(UTC) + timedelta(minutes=5),
        "jti": "0",
        "iss": "plugproof",
        "aud": "plugproof-api",
        "user_id": str(user.pk),
        "hash_password": get_md5_hash_password(user.password),
    }
    signing_key = settings.SIMPLE_JWT["SIGNING_KEY"] if key is None else key
    return jwt.encode(usual | claims, signing_key, algorithm)


def test_gives_tokens_that_work_whatever_the_case_of_the_address() -> None:
    make_user("ada@example.com")
    answer = log_in("ADA@Example.com")
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh"}
    assert me(answer.json()["access"]).json()["email"] == "ada@example.com"


def test_refuses_a_wrong_password_an_unknown_and_an_inactive_user_alike() -> None:
    make_user("ada@example.com")
    make_user("bob@example.com", is_active=False)
    answers = [log_in(password="wrong"), log_in("eve@example.com"), log_in("bob@example.com")]
    bodies = [answer.json() | {"request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["code"] == "no_active_account"


@pytest.mark.parametrize("field", ["email", "password"])
@pytest.mark.parametrize("value", [None, True, [], {}, ""])
def test_refuses_a_value_that_is_no_text(field: str, value: Any) -> None:
    answer = log_in(**{field: value})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_refuses_a_body_that_is_no_object(body: Any) -> None:
    assert guest().post(URL, body, format="json").status_code == 400


def test_an_inactive_user_is_refused_with_a_token_from_before() -> None:
    ada = make_user("ada@example.com")
    token = log_in().json()["access"]
    ada.is_active = False
    ada.save()
    answer = me(token)
    assert (answer.status_code, answer.json()["code"]) == (401, "user_inactive")


def test_accepts_its_own_token_so_that_the_refusals_below_mean_something() -> None:
    ada = make_user("ada@example.com")
    assert me(forged(ada)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"key": "another key, long enough to sign something"}, id="another key"),
        pytest.param({"key": "", "algorithm": "none"}, id="no signature"),
        pytest.param({"algorithm": "HS512"}, id="another algorithm"),
        pytest.param({"aud": "another-shop"}, id="another audience"),
        pytest.param({"iss": "another-shop"}, id="another issuer"),
        pytest.param({"hash_password": None}, id="nothing about the password"),
        pytest.param({"token_type": "refresh"}, id="a refresh token"),
        pytest.param({"exp": datetime(2020, 1, 1, tzinfo=UTC)}, id="expired"),
        pytest.param({"user_id": "0"}, id="nobody"),
        pytest.param({"user_id": str(2**63)}, id="an impossible id"),
    ],
)
@pytest.mark.filterwarnings("ignore:The HMAC key is")
def test_refuses_a_forged_token(changes: dict[str, Any]) -> None:
    ada = make_user("ada@example.com")
    answer = me(forged(ada, **changes))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer a b", "Bearer \xff", "Basic YTpi", "x" * 9000]
)
def test_a_header_that_is_no_token_is_refused(header: str) -> None:
    assert guest().get(ME, HTTP_AUTHORIZATION=header).status_code == 401


def test_a_token_of_one_kind_is_not_taken_for_the_other() -> None:
    ada = make_user("ada@example.com")
    assert me(RefreshToken.for_user(ada)).status_code == 401
    access = str(AccessToken.for_user(ada))
    for path in ("refresh", "revoke"):
        answer = guest().post(f"{URL}{path}/", {"refresh": access}, format="json")
        assert answer.status_code == 401
