"""Every error of the API is a problem+json of one shape."""

import json
import logging
from typing import Any

import pytest
from django.conf import settings
from django.db import close_old_connections
from rest_framework.test import APIClient

pytestmark = pytest.mark.urls("shop.tests.troubled_urls")

SHAPE = {"type", "title", "status", "detail", "code", "request_id"}


@pytest.fixture
def client() -> APIClient:
    return APIClient(raise_request_exception=False)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The body, after what is common to all of them is checked."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) >= SHAPE
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == answer["X-Request-ID"]
    assert body["title"]
    assert body["detail"]
    return body


def test_an_unknown_address_under_api_is_a_problem(client: APIClient) -> None:
    problem(client.get("/api/no/such/thing/"), 404, "not_found")


def test_an_unknown_address_elsewhere_is_a_page(client: APIClient) -> None:
    answer = client.get("/no/such/thing/")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_number_too_long_for_an_id_is_an_unknown_address(client: APIClient) -> None:
    problem(client.get(f"/api/accounts/addresses/{'9' * 5000}/"), 404, "not_found")


def test_a_host_that_is_not_ours_is_a_problem(client: APIClient) -> None:
    answer = client.get("/api/refused/", HTTP_HOST="evil.example.com")
    problem(answer, 400, "bad_request")


def test_a_bug_is_a_problem_that_tells_nothing_and_the_log_tells_all(
    client: APIClient, log: list[str]
) -> None:
    answer = client.get("/api/bug/")
    body = problem(answer, 500, "server_error")
    assert b"secret" not in answer.content
    lines = [json.loads(line) for line in log]
    bug, end = lines
    assert bug["logger"] == "django.request"
    assert "secret" in bug["exception"]
    assert (end["event"], end["status"], end["level"]) == ("request", 500, "error")
    assert bug["request_id"] == end["request_id"] == body["request_id"]


def test_the_log_of_bugs_goes_to_standard_error_without_debug() -> None:
    django_logger = logging.getLogger("django.request")
    assert not settings.DEBUG
    assert "StreamHandler" in {type(h).__name__ for h in logging.getLogger().handlers}
    while django_logger.parent is not None:  # nothing on the way keeps it from the root
        assert django_logger.propagate
        django_logger = django_logger.parent


def test_a_bug_elsewhere_is_a_page(client: APIClient) -> None:
    answer = client.get("/page-with-bug/")
    assert answer.status_code == 500
    assert answer["Content-Type"].startswith("text/html")


def test_a_refusal_of_the_shop_keeps_its_code_and_facts(client: APIClient) -> None:
    body = problem(client.get("/api/refused/"), 409, "error")
    assert (body["detail"], body["code_of_tea"]) == ("Too late.", "oolong")


def test_a_complaint_about_no_field_is_under_errors_all_the_same(client: APIClient) -> None:
    body = problem(client.post("/api/refused/"), 400, "invalid")
    assert body["errors"] == {"non_field_errors": ["Not like this."]}


def test_a_method_that_is_not_there_says_which_are(client: APIClient) -> None:
    answer = client.delete("/api/refused/")
    problem(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "GET, POST, PUT, HEAD, OPTIONS"


def test_a_caller_without_permission_is_refused(client: APIClient) -> None:
    problem(client.get("/api/staff/"), 403, "permission_denied")


@pytest.mark.django_db
def test_a_bad_token_is_refused(client: APIClient) -> None:
    answer = client.get("/api/accounts/me/", HTTP_AUTHORIZATION="Bearer no.such.token")
    problem(answer, 401, "token_not_valid")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_no_token_is_refused(client: APIClient) -> None:
    answer = client.get("/api/accounts/me/")
    problem(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
)
def test_a_form_is_refused(client: APIClient, content_type: str) -> None:
    answer = client.put("/api/refused/", data=b"a=1", content_type=content_type)
    problem(answer, 415, "unsupported_media_type")


def test_an_answer_in_another_format_is_refused(client: APIClient) -> None:
    problem(client.get("/api/refused/", HTTP_ACCEPT="text/html"), 406, "not_acceptable")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sqlstate",
    ["55P03", "40P01", "57014", "40001", "53300"],
    ids=["lock timeout", "deadlock", "statement timeout", "serialization", "too many clients"],
)
def test_a_busy_database_asks_to_try_again(client: APIClient, sqlstate: str) -> None:
    answer = client.get(f"/api/sql/{sqlstate}/")
    problem(answer, 503, "try_again")
    assert answer["Retry-After"] == "2"
    assert b"secret" not in answer.content


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_asks_to_try_again_and_the_next_call_works(client: APIClient) -> None:
    lost = client.get("/api/lost-connection/")
    problem(lost, 503, "try_again")
    close_old_connections()  # what Django does after a request and its test client does not
    assert client.get("/api/catalog/brands/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("sqlstate", ["23505", "42P01"], ids=["unique", "no such table"])
def test_a_broken_rule_of_the_database_is_a_bug(client: APIClient, sqlstate: str) -> None:
    problem(client.get(f"/api/sql/{sqlstate}/"), 500, "server_error")
